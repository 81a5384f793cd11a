#include "common/utc.h"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace hansa {

UtcSeconds utc_seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now).count()))};
}

std::string date_text(UtcSeconds time) {
  constexpr std::uint64_t year_10000 = 253'402'300'800;
  if (time.value >= year_10000) return "never";
  const auto value = static_cast<std::time_t>(time.value);
  std::tm parts{};
  ::gmtime_r(&value, &parts);
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts));
}

}  // namespace hansa
