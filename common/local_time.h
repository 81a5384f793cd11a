// The time of day in the machine's time zone, as text for logs and displays.
#pragma once
#include <string>

namespace hansa {

// RFC 3339 with milliseconds and offset: "2026-01-02T03:04:05.678+01:00".
[[nodiscard]] std::string local_time_text();
// "03:04:05"
[[nodiscard]] std::string clock_text();

}  // namespace hansa
