#include "common/program.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace hansa {
namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");
extern "C" void on_stop_signal(int) { stop_asked = true; }

int tell(std::string_view program, const Error& error) {
  const std::string line = std::string(program) + ": " + error.text() + "\n";
  std::fputs(line.c_str(), stderr);
  return exit_code(error.code);
}

int tell_bug(std::string_view program, const char* what) {
  return tell(program, Error{ErrorCode::internal, "", what, "this is a bug; please report it"});
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  std::signal(SIGINT, on_stop_signal);
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGPIPE, SIG_IGN);
  return stop_asked;
}

int run_program(std::string_view program, const std::function<Result<int>()>& body) {
  try {
    const auto done = body();
    return done ? *done : tell(program, done.error());
  } catch (const std::exception& exception) {
    return tell_bug(program, exception.what());
  } catch (...) {
    return tell_bug(program, "unknown failure");
  }
}

}  // namespace hansa
