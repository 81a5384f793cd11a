#include "tools/device_report.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include <fmt/format.h>

#include "common/text.h"
#include "protocols/enrolment/device_file.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::Device;
using server::DeviceState;

bool is_left_out(const DeviceRow& row, UtcSeconds now) {
  return row.device.state == DeviceState::admitted && row.standing.left_out_until > now;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }
std::string time_text(const std::optional<UtcSeconds>& time) { return time ? rfc3339_text(*time) : "-"; }

// "12 s", "3 min", "5 h", "9 d" ago.
std::string age_text(const std::optional<UtcSeconds>& time, UtcSeconds now) {
  if (!time) return "-";
  const std::uint64_t age = now.value - std::min(now.value, time->value);
  if (age < 60) return fmt::format("{} s", age);
  if (age < 3'600) return fmt::format("{} min", age / 60);
  if (age < 2 * 86'400) return fmt::format("{} h", age / 3'600);
  return fmt::format("{} d", age / 86'400);
}

std::string number_text(const std::optional<double>& value) {
  if (!value) return "-";
  return *value < 10 ? fmt::format("{:.1f}", *value) : fmt::format("{:.0f}", *value);
}
std::string rate_text(const std::optional<double>& bytes_per_s) {
  constexpr double most = 1e15;
  if (!bytes_per_s) return "-";
  return bytes_text(static_cast<std::uint64_t>(std::clamp(*bytes_per_s, 0.0, most)));
}

using Cell = std::function<std::string(const DeviceRow&)>;
struct TableColumn {
  Column column;
  int importance = 0;  // 0: never omitted; the highest is omitted first
  Cell cell;
};

std::vector<TableColumn> all_columns(UtcSeconds now) {
  return {
      {{"name", Align::left}, 0, [](const DeviceRow& r) { return r.device.name; }},
      {{"label", Align::left}, 7, [](const DeviceRow& r) { return or_dash(r.device.label); }},
      {{"state", Align::left}, 0, [now](const DeviceRow& r) { return state_text(r, now); }},
      {{"seen"}, 1, [now](const DeviceRow& r) { return age_text(r.device.activity.last_seen, now); }},
      {{"examples"}, 5, [](const DeviceRow& r) { return std::to_string(r.device.activity.examples); }},
      {{"ex/s"}, 2, [](const DeviceRow& r) { return number_text(r.measures.examples_per_s); }},
      {{"up/s"}, 3, [](const DeviceRow& r) { return rate_text(r.measures.upload_bytes_per_s); }},
      {{"counted"}, 0, [](const DeviceRow& r) { return std::to_string(r.device.activity.counted); }},
      {{"lost"}, 0, [](const DeviceRow& r) { return std::to_string(r.device.activity.lost); }},
      {{"bytes"},
       4,
       [](const DeviceRow& r) { return bytes_text(r.measures.bytes_up + r.measures.bytes_down); }},
      {{"software", Align::left}, 6, [](const DeviceRow& r) { return or_dash(r.device.activity.software); }},
  };
}

std::string table_text(std::span<const TableColumn> columns, const std::vector<DeviceRow>& rows) {
  std::vector<Column> titles;
  for (const TableColumn& column : columns) titles.push_back(column.column);
  TextTable table(titles);
  for (const DeviceRow& row : rows) {
    std::vector<std::string> cells;
    for (const TableColumn& column : columns) cells.push_back(column.cell(row));
    table.add_row(std::move(cells));
  }
  return table.text();
}

std::size_t width_of(const std::string& text) {
  std::size_t out = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out = std::max(out, end - at);
    at = end + 1;
  }
  return out;
}

std::string left_out_line(const DeviceRow& row) {
  return fmt::format("{}: left out of cohorts until {}, for {} fault{}\n", printable(row.device.name),
                     rfc3339_text(row.standing.left_out_until), row.standing.faults,
                     row.standing.faults == 1 ? "" : "s");
}

}  // namespace

Result<std::vector<DeviceRow>> read_devices(server::DeviceRegister& devices, server::DeviceHistory& history) {
  HANSA_TRY(auto all, devices.devices());
  HANSA_TRY(const auto measures, history.measures());
  HANSA_TRY(const auto standings, history.standings());
  std::vector<DeviceRow> out;
  for (Device& device : all) {
    DeviceRow& row = out.emplace_back();
    if (const auto found = measures.find(device.name); found != measures.end()) row.measures = found->second;
    if (const auto found = standings.find(device.name); found != standings.end())
      row.standing = found->second;
    HANSA_TRY(row.losses, history.losses(device.name));
    row.device = std::move(device);
  }
  return out;
}

std::string state_text(const DeviceRow& row, UtcSeconds now) {
  return is_left_out(row, now) ? "left out" : std::string(name(row.device.state));
}

std::string device_table(const std::vector<DeviceRow>& rows, UtcSeconds now, std::size_t columns) {
  std::vector<TableColumn> shown = all_columns(now);
  // By default a device's label is its name.
  if (std::ranges::all_of(
          rows, [](const DeviceRow& r) { return r.device.label.empty() || r.device.label == r.device.name; }))
    std::erase_if(shown, [](const TableColumn& c) { return c.column.title == "label"; });
  std::string out = table_text(shown, rows);
  while (width_of(out) > columns) {
    const auto least = std::ranges::max_element(shown, {}, &TableColumn::importance);
    if (least->importance == 0) break;
    shown.erase(least);
    out = table_text(shown, rows);
  }
  std::size_t left_out = 0;
  for (const DeviceRow& row : rows) {
    if (!is_left_out(row, now)) continue;
    ++left_out;
    out += left_out_line(row);
  }
  if (left_out > 0) out += "\"hansa devices release NAME\" forgets the faults of a device.\n";
  return out;
}

std::string device_text(const DeviceRow& row, UtcSeconds now) {
  const Device& device = row.device;
  std::string out;
  const auto line = [&out](const char* title, const std::string& text) {
    out += fmt::format("{:<12} {}\n", title, or_dash(text));
  };
  line("name", device.name);
  line("label", device.label);
  line("state", is_left_out(row, now)
                    ? "left out of cohorts until " + rfc3339_text(row.standing.left_out_until)
                    : std::string(name(device.state)));
  line("key", device.key.text());
  line("identity", enrolment::text_of(device.identity));
  line("since", rfc3339_text(device.since));
  line("last seen", time_text(device.activity.last_seen));
  line("software", device.activity.software);
  line("examples", std::to_string(device.activity.examples));
  line("training", row.measures.examples_per_s ? number_text(row.measures.examples_per_s) + " examples/s"
                                               : std::string());
  line("upload",
       row.measures.upload_bytes_per_s ? rate_text(row.measures.upload_bytes_per_s) + "/s" : std::string());
  line("bytes",
       fmt::format("{} up, {} down", bytes_text(row.measures.bytes_up), bytes_text(row.measures.bytes_down)));
  line("faults", std::to_string(row.standing.faults));
  line("counted", fmt::format("in {} rounds", device.activity.counted));
  line("lost", fmt::format("in {} rounds", device.activity.lost));
  for (const server::LostRound& loss : row.losses)
    out += fmt::format("{:<12} {} round {} of run {}:\n{:<12}   {}\n", "", rfc3339_text(loss.at),
                       loss.round.value, printable(loss.run), "", printable(loss.reason));
  return out;
}

nlohmann::json json_of(const DeviceRow& row, UtcSeconds now) {
  const Device& device = row.device;
  nlohmann::json losses = nlohmann::json::array();
  for (const server::LostRound& loss : row.losses)
    losses.push_back({{"run", loss.run},
                      {"round", loss.round.value},
                      {"at", rfc3339_text(loss.at)},
                      {"reason", loss.reason}});
  nlohmann::json out{{"name", device.name},
                     {"label", device.label},
                     {"state", state_text(row, now)},
                     {"key", device.key.text()},
                     {"identity", enrolment::text_of(device.identity)},
                     {"since", rfc3339_text(device.since)},
                     {"software", device.activity.software},
                     {"examples", device.activity.examples},
                     {"bytes_up", row.measures.bytes_up},
                     {"bytes_down", row.measures.bytes_down},
                     {"faults", row.standing.faults},
                     {"rounds_counted", device.activity.counted},
                     {"rounds_lost", device.activity.lost},
                     {"lost_why", device.activity.lost_why},
                     {"losses", std::move(losses)}};
  if (device.activity.last_seen) out["last_seen"] = rfc3339_text(*device.activity.last_seen);
  if (device.certificate) out["certificate_expires"] = rfc3339_text(device.certificate->validity.expires);
  if (row.measures.examples_per_s) out["examples_per_s"] = *row.measures.examples_per_s;
  if (row.measures.upload_bytes_per_s) out["upload_bytes_per_s"] = *row.measures.upload_bytes_per_s;
  if (is_left_out(row, now)) out["left_out_until"] = rfc3339_text(row.standing.left_out_until);
  return out;
}

}  // namespace hansa::tools
