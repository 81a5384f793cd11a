// What the clients of a world send, recomputed from the seeds of the run.
#pragma once
#include <string>
#include <vector>

#include "protocols/codecs/plan.h"
#include "server/coordinator/task_id.h"
#include "tests/simulation/world.h"

namespace hansa::testing {

// The update that the aggregator decodes, and the residual that the client keeps for its next update.
struct Sent {
  std::vector<std::byte> bytes;
  std::vector<float> kept;
};
[[nodiscard]] Sent send(const codecs::Plan& plan, std::span<const float> values, std::span<const float> kept,
                        const codecs::Seeds& seeds, float magnitude_max);
// The seed of a client's training.
[[nodiscard]] std::uint64_t training_seed(const World& world, const server::Work& work,
                                          const std::string& client);
// The seeds of the update of a client in a round that opened no sum before it.
[[nodiscard]] codecs::Seeds seeds_of(const World& world, RoundId round, const std::string& client);

}  // namespace hansa::testing
