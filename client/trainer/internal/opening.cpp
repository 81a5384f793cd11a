#include "client/trainer/internal/opening.h"

#include <chrono>
#include <ctime>
#include <tuple>

#include <poll.h>

namespace hansa::client::internal {
namespace {

constexpr int look_interval_ms = 20;

// Processor time that the process has used. The same value again: none since then.
std::tuple<std::int64_t, long> processor_time(pid_t process) {
  clockid_t clock = 0;
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return {};
  return {used.tv_sec, used.tv_nsec};
}

}  // namespace

Result<std::string> wait_while_opening(Child& child, const std::string& location,
                                       const OpeningLimits& limits) {
  auto used = processor_time(child.process());
  Instant progressed = steady_now();
  while (true) {
    HANSA_TRY(auto frame, child.receive());
    if (frame) return std::move(*frame);
    if (limits.stop_requested && limits.stop_requested()) {
      child.kill();
      return fail(ErrorCode::resource, location, "stopped", "the data was being opened",
                  {ReasonCode::stopped, {}});
    }
    const Instant now = steady_now();
    if (const auto reached = processor_time(child.process()); reached != used) {
      used = reached;
      progressed = now;
    }
    if (now - progressed > limits.stall) {
      child.kill();
      return fail(ErrorCode::data, location,
                  "cannot be opened: nothing was read for " +
                      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limits.stall).count()) +
                      " s",
                  "name a file, not a pipe, and check the disk or the network file system; or raise "
                  "resources.trainer_stall_s",
                  {ReasonCode::data_unreadable, {}});
    }
    pollfd waiting{child.descriptor(), POLLIN, 0};
    (void)::poll(&waiting, 1, look_interval_ms);
  }
}

}  // namespace hansa::client::internal
