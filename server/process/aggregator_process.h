// hansa-aggregator: the engine on a ZeroMQ channel, a run folder, a background evaluator and a terminal.
#pragma once
#include <atomic>
#include <string>

#include "common/error.h"
#include "common/logging.h"
#include "server/config/federation_config.h"
#include "server/process/progress_display.h"
#include "server/setup/run_setup.h"

namespace hansa::server {

struct AggregatorOptions {
  RunRequest run;
  ProgressStyle progress = ProgressStyle::plain;
  unsigned io_threads = 2;
};

// Runs until the federation is finished, gave up, or stop becomes true (signals set it). Prints the
// closing lines. Returns the error to exit with, if any.
[[nodiscard]] Result<void> run_aggregator(const FederationConfig& config, const AggregatorOptions& options,
                                          const Logger& log, const std::atomic<bool>& stop);

}  // namespace hansa::server
