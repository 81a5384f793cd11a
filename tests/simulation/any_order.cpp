#include "tests/simulation/any_order.h"

#include <gtest/gtest.h>

namespace hansa::testing {

void expect_same_model_in_any_order(const std::function<World()>& make, const std::vector<unsigned>& threads,
                                    std::uint64_t orders, const std::function<void(const World&)>& check) {
  const auto model_of = [&](unsigned count, std::optional<std::uint64_t> order) {
    SCOPED_TRACE(std::to_string(count) + " threads, order " +
                 (order ? std::to_string(*order) : "of the run"));
    World world = make();
    world.options.threads = count;
    world.options.arrival_seed = order;
    world.run();
    check(world);
    return world.outcome ? world.outcome->model.text() : "none";
  };
  const std::string first = model_of(threads.front(), {});
  for (const unsigned count : threads) EXPECT_EQ(model_of(count, {}), first);
  for (std::uint64_t order = 1; order <= orders; ++order) EXPECT_EQ(model_of(3, order), first);
}

}  // namespace hansa::testing
