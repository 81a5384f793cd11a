// What the main functions of the programs share: signals that ask to stop, and the last word on an error.
#pragma once
#include <atomic>
#include <functional>
#include <string_view>

#include "common/error.h"

namespace hansa {

// From this call on SIGINT and SIGTERM only set the flag that it returns, and SIGPIPE is ignored: writing
// to a closed pipe is an error like others. Call it before threads start.
const std::atomic<bool>& stop_on_signals();

// Runs `body`, whose value is the exit code. An error is told on stderr as "PROGRAM: location: what; hint" and
// becomes its exit code (docs/exit-codes.md); an exception that got this far is told as a bug.
int run_program(std::string_view program, const std::function<Result<int>()>& body);

}  // namespace hansa
