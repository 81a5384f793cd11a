// Shared by the main functions of the programs: signals that request a stop, and reporting of the final error.
#pragma once
#include <atomic>
#include <functional>
#include <string_view>

#include "common/error.h"

namespace hansa {

// After this call the first SIGINT or SIGTERM only sets the returned flag, and another one, at least half a second later,
// ends the process at once with exit code 128 + signal. SIGPIPE is ignored, so that writing to a closed pipe is an
// ordinary error. Call it before threads start.
const std::atomic<bool>& stop_on_signals();

// Runs `body`, which returns the exit code. An error is reported on stderr as "PROGRAM: LOCATION: WHAT; HINT", or as a
// line of the log if that is of JSON lines (choose_log_format), and gives the exit code of its kind
// (docs/exit-codes.md). An exception is reported as a bug.
int run_program(std::string_view program, const std::function<Result<int>()>& body);

}  // namespace hansa
