#include "tools/report/sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/utc.h"
#include "tools/report/html_table.h"
#include "tools/report/parts.h"

namespace hansa::tools {
std::string devices_section(const ReportContent& content) {
  if (content.devices.empty()) return "";
  const std::size_t shown = std::min(content.devices.size(), report_clients_max);
  HtmlTable table(shown == content.devices.size()
                      ? fmt::format("All {} devices of the register", shown)
                      : fmt::format("The first {} of {} devices", shown, content.devices.size()),
                  {{"Device", CellKind::text},
                   {"Label", CellKind::text},
                   {"State", CellKind::text},
                   {"Last seen", CellKind::text},
                   {"Software", CellKind::text},
                   {"Examples"},
                   {"Counted"},
                   {"Lost"},
                   {"Last reason", CellKind::text}});
  for (std::size_t i = 0; i < shown; ++i) {
    const DeviceRow& row = content.devices[i];
    const server::DeviceActivity& activity = row.device.activity;
    table.add_row({short_text(row.device.name), short_text(row.device.label), state_text(row, content.now),
                   activity.last_seen ? rfc3339_text(*activity.last_seen) : "-",
                   short_text(activity.software), std::to_string(activity.examples),
                   std::to_string(activity.counted), std::to_string(activity.lost),
                   short_text(activity.lost_why)});
  }
  return section("devices", "Devices",
                 paragraph("Of the federation's register, over all of its runs.") + table.html());
}

}  // namespace hansa::tools
