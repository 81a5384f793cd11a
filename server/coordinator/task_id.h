// The number of a task: one client's work in one round of one run.
#pragma once
#include <string_view>

#include "common/identifiers.h"

namespace hansa::server {

// The same after a restart and in a later attempt, so that a client's finished update is still valid for it.
[[nodiscard]] TaskId make_task_id(std::uint64_t seed, std::string_view run, RoundId round,
                                  std::string_view client);

}  // namespace hansa::server
