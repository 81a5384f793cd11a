#include "server/monitor/log_json.h"

#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/utc.h"

namespace hansa::server {
namespace {

// "2026-01-02T03:04:05.678Z"
std::string time_text(const LogRecord& record) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(record.time);
  const auto seconds = static_cast<std::uint64_t>(whole.time_since_epoch().count());
  std::string out = rfc3339_text({seconds});
  out.pop_back();
  return out + fmt::format(".{:03}Z", (record.time - whole).count());
}

}  // namespace

nlohmann::ordered_json api_log_record(const LogRecord& record) {
  nlohmann::ordered_json out{{"sequence", record.sequence},
                             {"time", time_text(record)},
                             {"level", name(record.level)},
                             {"component", record.component}};
  if (!record.event.empty()) out["event"] = record.event;
  out["message"] = record.message;
  if (record.round) out["round"] = record.round->value;
  if (!record.client.empty()) out["client"] = record.client;
  if (!record.phase.empty()) out["phase"] = record.phase;
  return out;
}

}  // namespace hansa::server
