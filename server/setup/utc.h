// The current time in UTC as text.
#pragma once
#include <string>

namespace hansa::server {

// format: of strftime.
[[nodiscard]] std::string utc_text(const char* format);
// As in RFC 3339, to the second.
[[nodiscard]] std::string utc_now();

}  // namespace hansa::server
