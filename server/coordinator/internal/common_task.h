// The part of a task that is the same for all clients of a round.
#pragma once
#include "protocols/messages/messages.h"
#include "server/coordinator/config.h"

namespace hansa::server {

// Without the task's number, seed and deadline, and without what the exchange adds. method: method_of_round(). measure: `no` if models are not
// measured in this attempt, also if they are due.
[[nodiscard]] messages::TrainTask make_common_task(const CoordinatorConfig& config,
                                                   const PublishedModel& published, RoundId round,
                                                   const Method& method, Measure measure);

}  // namespace hansa::server
