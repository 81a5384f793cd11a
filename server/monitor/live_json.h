// `Live` of the HTTP API as JSON.
#pragma once
#include <string>

#include "server/monitor/live_state.h"

namespace hansa::server {

// One line. Invalid UTF-8 is replaced.
[[nodiscard]] std::string json_of(const LiveState& state);

}  // namespace hansa::server
