#include "tests/simulation/faulty_worlds.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

namespace hansa::testing {

void draw_faults(WorldOptions& o, Random& random, const FaultsMost& most) {
  o.chunk_bytes = static_cast<std::uint32_t>(4 * (16 + random.below(200)));
  o.uploads_max = static_cast<std::uint32_t>(1 + random.below(4));
  o.network.latency_min = std::chrono::milliseconds(1);
  o.network.latency_max = std::chrono::milliseconds(2 + random.below(most.latency_ms));
  const auto rate = [&](double highest) { return random.chance(0.6) ? highest * random.uniform() : 0.0; };
  o.network.lose = rate(most.lose);
  o.network.duplicate = rate(most.duplicate);
  o.network.overtake = rate(most.overtake);
  o.network.cut = rate(most.cut);
  o.crashes.aggregator_per_effect = rate(most.crash);
  o.crashes.client_per_effect = rate(most.crash);
  o.crashes.crashes_max = most.crashes;
}

void run_worlds(const WorldTest& test, std::uint64_t first, int worlds,
                const std::function<void(const World&)>& look) {
  const char* only = std::getenv("HANSA_SIMULATION_SEED");
  for (int i = 0; i < (only == nullptr ? worlds : 1); ++i) {
    const std::uint64_t seed =
        only != nullptr ? std::strtoull(only, nullptr, 10) : first + static_cast<std::uint64_t>(i);
    World world = test.make(seed);
    world.run();
    test.expect_sound(world);
    if (world.outcome) look(world);
    if (!::testing::Test::HasFailure()) continue;
    constexpr std::size_t lines = 40;
    std::string tail;
    for (std::size_t k = world.log.size() - std::min(world.log.size(), lines); k < world.log.size(); ++k)
      tail += "  " + world.log[k] + "\n";
    FAIL() << "replay: HANSA_SIMULATION_SEED=" << seed << " hansa_simulation_test --gtest_filter=*"
           << test.filter << "*\nlast log lines:\n"
           << tail;
  }
}

void expect_equal_runs(World one, World two) {
  one.run();
  two.run();
  ASSERT_TRUE(one.outcome && two.outcome);
  EXPECT_EQ(one.outcome->virtual_time, two.outcome->virtual_time);
  EXPECT_EQ(one.outcome->crashes, two.outcome->crashes);
  EXPECT_EQ(one.outcome->model, two.outcome->model);
  EXPECT_EQ(one.log, two.log);
}

void crash_before_effects(const std::function<World()>& make, std::uint64_t step,
                          const std::function<void(const World&)>& check) {
  World undisturbed = make();
  undisturbed.run();
  check(undisturbed);
  ASSERT_TRUE(undisturbed.outcome);
  const std::uint64_t effects = undisturbed.outcome->aggregator_effects;
  ASSERT_GT(effects, 50U);
  for (std::uint64_t at = 1; at <= effects; at += step) {
    SCOPED_TRACE("before effect " + std::to_string(at));
    World world = make();
    world.options.crashes.aggregator_at_effect = at;
    world.run();
    check(world);
    ASSERT_TRUE(world.outcome);
    ASSERT_EQ(world.outcome->crashes, 1U);
  }
}

}  // namespace hansa::testing
