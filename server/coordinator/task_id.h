// The number and the seed of a task: one client's work in one round of one run.
//
// They are the same after a restart and in a later attempt at the round, so that a client's finished update is still
// valid. The exception is an attempt after a secure sum of the round was opened and not committed: the difference of
// two sums over the same updates could be a single update, so that the clients train again with other randomness.
#pragma once
#include <cstdint>
#include <string_view>

#include "common/identifiers.h"

namespace hansa::server {

struct Work {
  RoundId round;
  // Sums of the round that were opened and not committed; in buffered aggregation, the number of the client's task, or of its
  // group, on the model before the round, from 0.
  std::uint32_t opened = 0;
};

[[nodiscard]] TaskId make_task_id(std::uint64_t seed, std::string_view run, const Work& work,
                                  std::string_view client);
// The seed from which the seeds of all clients are derived (messages::training_seed).
[[nodiscard]] std::uint64_t round_seed(std::uint64_t seed, const Work& work);

}  // namespace hansa::server
