// The newest state of the aggregator, from the engine's thread to those that show it. Thread-safe: board.h.
#pragma once
#include "server/monitor/board.h"
#include "server/monitor/live_state.h"

namespace hansa::server {

class LiveBoard final : public Board<LiveState> {};

}  // namespace hansa::server
