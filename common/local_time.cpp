#include "common/local_time.h"

#include <chrono>
#include <ctime>

#include <fmt/format.h>

namespace hansa {
namespace {

std::string formatted(const std::tm& parts, const char* format) {
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

}  // namespace

std::string local_time_text() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const std::time_t seconds = system_clock::to_time_t(floor<std::chrono::seconds>(now));
  const auto part = duration_cast<milliseconds>(now - floor<std::chrono::seconds>(now)).count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const std::string offset = formatted(local, "%z");  // "+0100"
  return fmt::format("{}.{:03}{}:{}", formatted(local, "%Y-%m-%dT%H:%M:%S"), part, offset.substr(0, 3),
                     offset.substr(3));
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return formatted(local, "%H:%M:%S");
}

}  // namespace hansa
