// The part of a task that is the same for all clients of a round.
#pragma once
#include <cstdint>

#include "protocols/messages/messages.h"
#include "server/coordinator/config.h"

namespace hansa::server {

// Without the task's number, seed and deadline, and without what the exchange adds. method: method_of_round(). measure: `no` if models are not
// measured in this attempt, also if they are due.
[[nodiscard]] messages::TrainTask make_common_task(const CoordinatorConfig& config,
                                                   const PublishedModel& published, RoundId round,
                                                   const Method& method, Measure measure);

// Adds the codecs of the uplink, if there are any. cohort_seed: codec_seed() of the task's round.
void add_compression(messages::TrainTask& task, const CoordinatorConfig& config, std::uint64_t cohort_seed);
// For codecs: the same for all tasks of a round.
[[nodiscard]] std::uint64_t codec_seed(const CoordinatorConfig& config, RoundId round);

// Whether the last bytes of this blob complete the model for a client: the model itself, or the last delta to it.
[[nodiscard]] bool leads_to(const PublishedModel& published, const Digest& blob);
// The size in bytes of an input of a task, or of a delta to its model; 0 if the blob is neither.
[[nodiscard]] std::uint64_t input_blob_bytes(const CoordinatorConfig& config, const PublishedModel& published,
                                             const Digest& blob);

}  // namespace hansa::server
