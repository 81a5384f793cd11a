#include "server/setup/utc.h"

#include <ctime>

namespace hansa::server {

std::string utc_text(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

std::string utc_now() { return utc_text("%Y-%m-%dT%H:%M:%SZ"); }

}  // namespace hansa::server
