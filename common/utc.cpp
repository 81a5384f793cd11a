#include "common/utc.h"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace hansa {
namespace {
constexpr std::uint64_t year_10000 = 253'402'300'800;
constexpr const char* rfc3339 = "%Y-%m-%dT%H:%M:%SZ";
}  // namespace

UtcSeconds utc_seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now).count()))};
}

std::string utc_text(UtcSeconds time, const char* format) {
  if (time.value >= year_10000) return "never";
  const auto value = static_cast<std::time_t>(time.value);
  std::tm parts{};
  ::gmtime_r(&value, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

std::string date_text(UtcSeconds time) { return utc_text(time, "%Y-%m-%d"); }
std::string rfc3339_text(UtcSeconds time) { return utc_text(time, rfc3339); }

std::optional<UtcSeconds> parse_rfc3339(std::string_view text) {
  const std::string ended(text);
  std::tm parts{};
  const char* end = ::strptime(ended.c_str(), rfc3339, &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::time_t value = ::timegm(&parts);
  if (value < 0) return std::nullopt;
  const UtcSeconds out{static_cast<std::uint64_t>(value)};
  // strptime accepts more spellings, and days that do not exist.
  return rfc3339_text(out) == text ? std::optional(out) : std::nullopt;
}

}  // namespace hansa
