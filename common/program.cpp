#include "common/program.h"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <unistd.h>

#include "common/journal.h"
#include "common/logging.h"
#include "common/text.h"

namespace hansa {
namespace {

std::atomic<bool> stop_requested{false};
std::atomic<std::int64_t> first_signal_at{0};  // nanoseconds; 0: none yet
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free,
              "set in a signal handler");

std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);  // may be called in a signal handler
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

// The second signal does not wait for anything: rounds are durable when they are committed, and a restart continues.
// Programs such as timeout(1) send one signal to their child and to its group, so that it arrives twice.
extern "C" void on_stop_signal(int signal) {
  constexpr std::int64_t same_signal_ns = 500'000'000;
  const std::int64_t now = now_ns();
  std::int64_t first = 0;
  if (!first_signal_at.compare_exchange_strong(first, now) && now - first > same_signal_ns)
    ::_exit(128 + signal);
  stop_requested = true;
}

int report(std::string_view program, const Error& error) {
  if (choose_log_format("") == LogFormat::json) {
    Logger::to_stderr(program, LogLevel::error, LogFormat::json)
        .error(error.text(), {.event = LogEvent::program_failed});
    return exit_code(error.code);
  }
  const std::string_view priority = is_journal(STDERR_FILENO) ? journal_priority(LogLevel::error) : "";
  const std::string line =
      std::string(priority) + std::string(program) + ": " + printable(error.text()) + "\n";
  std::fputs(line.c_str(), stderr);
  return exit_code(error.code);
}

int report_bug(std::string_view program, const char* what) {
  return report(program, Error{ErrorCode::internal, "", what, "this is a bug; please report it"});
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  std::signal(SIGINT, on_stop_signal);
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGPIPE, SIG_IGN);
  return stop_requested;
}

int run_program(std::string_view program, const std::function<Result<int>()>& body) {
  try {
    const auto done = body();
    return done ? *done : report(program, done.error());
  } catch (const std::exception& exception) {
    return report_bug(program, exception.what());
  } catch (...) {
    return report_bug(program, "unknown failure");
  }
}

}  // namespace hansa
