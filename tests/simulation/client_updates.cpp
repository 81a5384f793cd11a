#include "tests/simulation/client_updates.h"

#include <gtest/gtest.h>

#include "protocols/codecs/encoder.h"

namespace hansa::testing {

Sent send(const codecs::Plan& plan, std::span<const float> values, std::span<const float> kept,
          const codecs::Seeds& seeds, float magnitude_max) {
  Sent out;
  out.kept.resize(plan.state_values());
  EXPECT_TRUE(codecs::Encoder(plan).encode(values, kept, out.kept, seeds, magnitude_max,
                                           codecs::Entropy::if_smaller, out.bytes));
  return out;
}

std::uint64_t training_seed(const World& world, const server::Work& work, const std::string& client) {
  return messages::training_seed(server::round_seed(world.options.seed, work), client);
}

codecs::Seeds seeds_of(const World& world, RoundId round, const std::string& client) {
  messages::TrainTask task;
  task.seed = training_seed(world, {round}, client);
  task.compression.emplace().cohort_seed = derive_seed(world.options.seed, "codec places", round.value);
  return messages::update_seeds(task);
}

}  // namespace hansa::testing
