#include "common/log_record.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/text.h"
#include "common/utc.h"

namespace hansa {
namespace {

std::string time_text(std::chrono::sys_time<std::chrono::milliseconds> time) {
  const std::int64_t milliseconds = std::max<std::int64_t>(0, time.time_since_epoch().count());
  std::string text = rfc3339_text({static_cast<std::uint64_t>(milliseconds / 1000)});
  text.pop_back();  // Z
  return text + fmt::format(".{:03}Z", milliseconds % 1000);
}

void append_json(std::string& out, std::string_view key, std::string_view value) {
  out += out.empty() ? "{\"" : ",\"";
  out += key;
  out += "\":\"";
  // Control characters and what is not UTF-8 have become escapes with a backslash, as in the text; JSON's own are left.
  for (const char c : printable(value)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

std::string_view name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    case LogLevel::off: return "off";
  }
  return "";
}

std::string json_text(const LogRecord& record) {
  std::string out;
  out.reserve(160 + record.message.size());
  append_json(out, "time", time_text(record.time));
  append_json(out, "level", name(record.level));
  append_json(out, "component", record.component);
  if (!record.event.empty()) append_json(out, "event", record.event);
  append_json(out, "message", record.message);
  if (record.round) out += ",\"round\":" + std::to_string(record.round->value);
  if (!record.client.empty()) append_json(out, "client", record.client);
  if (!record.phase.empty()) append_json(out, "phase", record.phase);
  return out + '}';
}

}  // namespace hansa
