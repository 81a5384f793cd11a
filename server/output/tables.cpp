#include "server/output/tables.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/utc.h"

namespace hansa::server {
namespace {

struct TableRow {
  std::string time;
  std::map<std::string, double, std::less<>> values;
};

std::string time_text(double time) {
  return time > 0 ? rfc3339_text(UtcSeconds{static_cast<std::uint64_t>(time)}) : std::string();
}

std::map<RoundId, TableRow> table_of(const std::vector<SeriesRow>& rows) {
  std::map<RoundId, TableRow> out;
  for (const SeriesRow& row : rows) {
    TableRow& into = out[row.round];
    for (const SeriesValue& value : row.values) {
      into.values[value.name] = value.value;
      // The clients of the next round measure later than the commit; of the initial model there may be nothing else.
      if (into.time.empty() || !value.name.starts_with("held_out/")) into.time = time_text(row.time);
    }
  }
  return out;
}

// All names, in the order in which they first occur.
std::vector<std::string> columns_of(std::span<const NamedRows> runs) {
  std::vector<std::string> out;
  std::map<std::string, bool, std::less<>> known;
  for (const NamedRows& run : runs)
    for (const SeriesRow& row : run.rows)
      for (const SeriesValue& value : row.values)
        if (known.try_emplace(value.name, true).second) out.push_back(value.name);
  return out;
}

std::string quoted(const std::string& cell) {
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string csv_of(std::span<const NamedRows> runs) {
  const std::vector<std::string> columns = columns_of(runs);
  std::string out = "run,round,time";
  for (const std::string& column : columns) out += "," + quoted(column);
  out += "\r\n";
  for (const NamedRows& run : runs)
    for (const auto& [round, row] : table_of(run.rows)) {
      out += fmt::format("{},{},{}", quoted(run.run), round.value, row.time);
      for (const std::string& column : columns) {
        out += ',';
        if (const auto found = row.values.find(column); found != row.values.end())
          out += fmt::format("{}", found->second);
      }
      out += "\r\n";
    }
  return out;
}

std::string json_lines_of(std::span<const NamedRows> runs) {
  using Json = nlohmann::ordered_json;
  const std::vector<std::string> columns = columns_of(runs);
  std::string out;
  for (const NamedRows& run : runs)
    for (const auto& [round, row] : table_of(run.rows)) {
      Json line{{"run", run.run}, {"round", round.value}};
      if (!row.time.empty()) line["time"] = row.time;
      for (const std::string& column : columns)
        if (const auto found = row.values.find(column); found != row.values.end())
          line[column] = found->second;  // not finite: dumped as null
      out += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
  return out;
}

}  // namespace hansa::server
