// The part of a task that is the same for all clients of a round.
#pragma once
#include "protocols/messages/messages.h"
#include "server/coordinator/config.h"

namespace hansa::server {

// Without the task's number, seed and deadline, and without what the exchange adds.
[[nodiscard]] messages::TrainTask make_common_task(const CoordinatorConfig& config,
                                                   const PublishedModel& published, RoundId round);

}  // namespace hansa::server
