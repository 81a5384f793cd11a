// Checks a task before any work on it.
#pragma once
#include <cstdint>

#include "client/agent/agent_config.h"
#include "common/error.h"
#include "protocols/messages/messages.h"

namespace hansa::client {

// The lowest limits.magnitude_max that a client accepts. A lower one would measure the update that it limits.
inline constexpr double magnitude_max_least = 1.0;

// Fails with the reason for which the client declines: the task is not valid; its archive is not approved; the client
// does not know the method, an option, an input or an output; an input or output of the method is missing; a blob or
// the update is larger than the client accepts; the limit on values is lower than it accepts; codecs do not fit the task's vectors.
[[nodiscard]] Result<void> check_task(const messages::TrainTask& task, const AgentConfig& config);

}  // namespace hansa::client
