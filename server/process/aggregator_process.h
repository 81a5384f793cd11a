// The process hansa-aggregator: runs the engine with a ZeroMQ channel, a run folder, a background evaluator and a
// terminal.
#pragma once
#include <atomic>
#include <string>

#include "common/error.h"
#include "common/logging.h"
#include "common/service_manager.h"
#include "server/config/federation_config.h"
#include "server/process/progress_display.h"
#include "server/setup/run_setup.h"

namespace hansa::server {

struct AggregatorOptions {
  RunRequest run;
  ProgressStyle progress = ProgressStyle::plain;
  unsigned io_threads = 2;
  bool dashboard = true;  // if the configuration has one
};

// Runs until the federation is finished or has failed, or `stop` becomes true (set by signals). Prints the final lines
// and returns the error with which the program exits, if there is one. `manager` hears that clients can connect, which
// round it is, and that the loop is alive.
[[nodiscard]] Result<void> run_aggregator(const FederationConfig& config, const AggregatorOptions& options,
                                          const Logger& log, ServiceManager& manager,
                                          const std::atomic<bool>& stop);

}  // namespace hansa::server
