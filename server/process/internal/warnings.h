// Warnings of the aggregator's process.
#pragma once
#include <string>

#include "common/logging.h"
#include "server/monitor/monitor.h"
#include "server/process/progress_display.h"

namespace hansa::server::internal {

// A warning is logged, and stays on the panel and on the dashboard.
class Warnings {
 public:
  // monitor: null without a dashboard.
  Warnings(const Logger& log, ProgressDisplay& display, Monitor* monitor)
      : log_(log), display_(display), monitor_(monitor) {}
  void operator()(const std::string& text, const LogFields& fields = {}) const {
    log_.warning(text, fields);
    display_.warn(text);
    if (monitor_ != nullptr) monitor_->on_alarm("warning", text, fields.event);
  }
  // The same for an error with which the aggregator continues.
  void error(const std::string& text, const LogFields& fields = {}) const {
    log_.error(text, fields);
    display_.warn(text);
    if (monitor_ != nullptr) monitor_->on_alarm("error", text, fields.event);
  }

 private:
  const Logger& log_;
  ProgressDisplay& display_;
  Monitor* monitor_;
};

}  // namespace hansa::server::internal
