// Drives an engine in the aggregator's process: messages of the socket, results of other threads, and time.
#pragma once
#include "common/time.h"
#include "server/engine/engine.h"
#include "server/engine/thread_executor.h"
#include "server/process/internal/host.h"

namespace hansa::server::internal {

// The time between two updates of the display, and two looks at the folder of admitted clients.
inline constexpr Duration display_interval = std::chrono::milliseconds(200);

// Everything outlives it. One thread.
class EngineLoop {
 public:
  using Seen = std::function<void(const transport::Incoming&)>;
  using Late = std::function<void(Duration)>;

  // seen: called for each message before the engine; may be empty. late: called with the lateness of each time that was due;
  // may be empty.
  EngineLoop(Host& host, Engine& engine, ThreadExecutor& executor, Seen seen = {}, Late late = {});

  // Waits for messages or a result, at most until the engine's next time or the next display (is_display_due()), and hands
  // over what has come. `descriptor` ends the wait when it is readable; -1: none.
  void turn(int descriptor = -1);
  // True once in display_interval. Asked for after each turn.
  [[nodiscard]] bool is_display_due(Instant now);

 private:
  void receive(Duration wait, int descriptor);

  Host& host_;
  Engine& engine_;
  ThreadExecutor& executor_;
  Late late_;
  transport::ServerChannel::Handlers handlers_;
  Instant next_display_;
};

}  // namespace hansa::server::internal
