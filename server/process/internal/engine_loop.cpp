#include "server/process/internal/engine_loop.h"

#include <algorithm>
#include <utility>

namespace hansa::server::internal {
namespace {

constexpr Duration wait_max = std::chrono::milliseconds(500);
constexpr std::size_t messages_max = 64;

}  // namespace

EngineLoop::EngineLoop(Host& host, Engine& engine, ThreadExecutor& executor, Seen seen, Late late)
    : host_(host), engine_(engine), executor_(executor), late_(std::move(late)), next_display_(steady_now()) {
  handlers_.on_message = [this, seen = std::move(seen)](const transport::Incoming& in) {
    host_.on_message(in);
    if (seen) seen(in);
    engine_.receive(in.peer, in.client, in.message, in.bulk, steady_now());
  };
  handlers_.on_refused = [this](const Error& error) {
    if (error.code == ErrorCode::network) host_.log().info(error.text());
    else host_.warn()(error.text());
  };
}

void EngineLoop::receive(Duration wait, int descriptor) {
  host_.manager().alive(steady_now());
  host_.channel().poll(wait, handlers_, descriptor, messages_max);
  executor_.deliver();
}

void EngineLoop::turn(int descriptor) {
  const Instant due = std::min(engine_.next_tick(), next_display_);
  receive(std::clamp<Duration>(due - steady_now(), Duration::zero(), wait_max), descriptor);
  const Instant now = steady_now();
  if (late_ && now >= due) late_(now - due);
  if (now >= engine_.next_tick()) engine_.tick(now);
}

bool EngineLoop::is_display_due(Instant now) {
  if (now < next_display_) return false;
  next_display_ = now + display_interval;
  return true;
}

}  // namespace hansa::server::internal
