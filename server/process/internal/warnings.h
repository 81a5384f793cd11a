// Warnings of the aggregator's process.
#pragma once
#include <string>

#include "common/logging.h"
#include "server/process/progress_display.h"

namespace hansa::server::internal {

// A warning is logged, and stays on the panel.
class Warnings {
 public:
  Warnings(const Logger& log, ProgressDisplay& display) : log_(log), display_(display) {}
  void operator()(const std::string& text, const LogFields& fields = {}) const {
    log_.warning(text, fields);
    display_.warn(text);
  }
  // The same for an error with which the aggregator continues.
  void error(const std::string& text, const LogFields& fields = {}) const {
    log_.error(text, fields);
    display_.warn(text);
  }

 private:
  const Logger& log_;
  ProgressDisplay& display_;
};

}  // namespace hansa::server::internal
