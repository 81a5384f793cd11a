#include "common/program.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <unistd.h>

#include "common/text.h"

namespace hansa {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");
// The second signal does not wait for anything: rounds are durable when they are committed, and a restart continues.
extern "C" void on_stop_signal(int signal) {
  if (stop_requested.exchange(true)) ::_exit(128 + signal);
}

int report(std::string_view program, const Error& error) {
  const std::string line = std::string(program) + ": " + printable(error.text()) + "\n";
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
