#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/simulation/world.h"

namespace hansa::testing {

// Runs the world with each number of threads, then with three threads and `orders` random orders in which things that are ready
// at the same time arrive. All must end with the same model. check: is called after each run.
void expect_same_model_in_any_order(const std::function<World()>& make, const std::vector<unsigned>& threads,
                                    std::uint64_t orders, const std::function<void(const World&)>& check);

}  // namespace hansa::testing
