// What can be found out about a task before any work on it.
#pragma once
#include <cstdint>

#include "client/agent/agent_config.h"
#include "common/error.h"
#include "protocols/messages/messages.h"

namespace hansa::client {

// Fails, naming the reason for which the client declines: a task that is not valid, a method, an option, an input or an
// output that the client does not know, a method without an input that it needs, blobs or an update larger than the
// client takes, codecs that are not for the task's vectors.
[[nodiscard]] Result<void> check_task(const messages::TrainTask& task, const AgentConfig& config);

}  // namespace hansa::client
