// A run as one HTML page: plots, tables and the configuration. The page loads nothing, runs no script, and says so to the
// browser (Content-Security-Policy). Pure functions; every text of others is escaped.
//
// Its size does not depend on the number of rounds and clients: plots are thinned (chart.h), tables and the configuration
// have a largest size, and say what they leave out.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/utc.h"
#include "server/output/run_view.h"
#include "tools/device_report.h"
#include "tools/run_list.h"

namespace hansa::tools {

struct ReportContent {
  const server::RunView& view;
  RunState state = RunState::finished;
  std::vector<std::pair<std::string, std::string>> settings;  // run_settings.h
  std::vector<DeviceRow> devices;  // of the register; empty: none was given
  UtcSeconds now;  // when the report is made
};
[[nodiscard]] std::string report_html(const ReportContent& content);

}  // namespace hansa::tools
