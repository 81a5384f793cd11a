#include "common/journal.h"

#include <cstdlib>
#include <string>

#include <sys/stat.h>

namespace hansa {

bool is_journal(int descriptor) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(descriptor, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

std::string_view journal_priority(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::error: return "<3>";
    case LogLevel::warning: return "<4>";
    case LogLevel::info:
    case LogLevel::off: return "<6>";
    case LogLevel::debug: return "<7>";
  }
  return "<6>";
}

}  // namespace hansa
