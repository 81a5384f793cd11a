// What the random worlds of the federation tests have in common: how their faults are drawn, and how many of them are run.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "common/random.h"
#include "tests/simulation/world.h"

namespace hansa::testing {

// The highest rates of faults that a world may have.
struct FaultsMost {
  double lose = 0, duplicate = 0, overtake = 0, cut = 0;  // of messages and connections
  double crash = 0;  // of the aggregator and of clients, per effect
  std::uint32_t crashes = 0;
  std::uint32_t latency_ms = 0;
};
// Draws the sizes of chunks, the uploads at the same time, the network's faults and the crashes.
void draw_faults(WorldOptions& options, Random& random, const FaultsMost& most);

struct WorldTest {
  std::function<World(std::uint64_t seed)> make;
  std::function<void(const World&)> expect_sound;  // by Google Test's expectations
  std::string filter;  // of the test, for the command that replays a world
};
// Runs the worlds with the seeds from `first` on, or only the one of HANSA_SIMULATION_SEED. After the first that fails, prints
// how to replay it and the end of its log. look: is called after each world.
void run_worlds(const WorldTest& test, std::uint64_t first, int worlds,
                const std::function<void(const World&)>& look);

// Two worlds of the same seed.
void expect_equal_runs(World one, World two);

// Runs the world without a crash, then once for each `step`-th effect of the aggregator, which crashes before it. check: is called
// after each run.
void crash_before_effects(const std::function<World()>& make, std::uint64_t step,
                          const std::function<void(const World&)>& check);

}  // namespace hansa::testing
