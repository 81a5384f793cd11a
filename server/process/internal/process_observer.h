// What the aggregator's process does when a round begins or is committed: display, evaluation, the watch over the run.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "server/config/federation_config.h"
#include "server/divergence/run_watch.h"
#include "server/engine/engine.h"
#include "server/monitor/monitor.h"
#include "server/process/internal/device_book.h"
#include "server/process/internal/round_evaluations.h"
#include "server/process/internal/warnings.h"
#include "server/process/progress_display.h"

namespace hansa::server::internal {

// Everything outlives it. One thread.
class ProcessObserver final : public EngineObserver {
 public:
  ProcessObserver(const FederationConfig& config, const std::string& run, const Logger& log,
                  const Warnings& warn, ProgressDisplay& display, RoundEvaluations& evaluations,
                  RunWatch& watch, DeviceBook& book, Monitor* monitor)
      : config_(config),
        run_(run),
        log_(log),
        warn_(warn),
        display_(display),
        evaluations_(evaluations),
        watch_(watch),
        book_(book),
        monitor_(monitor) {}
  void on_log(const Log& line) override;
  void on_round_started(RoundId round, std::uint32_t cohort) override;
  void on_committed(const RoundRecord& record) override;
  // Set if the run has to stop, because it diverges.
  [[nodiscard]] const std::optional<std::string>& stop_reason() const { return stop_reason_; }

 private:
  void on_divergence(RoundId round, const std::vector<std::string>& problems);

  const FederationConfig& config_;
  const std::string& run_;
  const Logger& log_;
  const Warnings& warn_;
  ProgressDisplay& display_;
  RoundEvaluations& evaluations_;
  RunWatch& watch_;
  DeviceBook& book_;
  Monitor* monitor_;  // null without a dashboard
  std::optional<std::string> stop_reason_;
};

}  // namespace hansa::server::internal
