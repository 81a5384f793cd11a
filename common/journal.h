// Output that goes to the journal of systemd, which adds the time to each line itself and reads a priority in front of
// it: sd-daemon(3).
#pragma once
#include <string_view>

#include "common/logging.h"

namespace hansa {

// Whether the descriptor is the stream to the journal that the environment variable JOURNAL_STREAM names:
// systemd.exec(5).
[[nodiscard]] bool is_journal(int descriptor);
// "<3>" for errors, "<4>" for warnings, "<6>" for information, "<7>" for debugging.
[[nodiscard]] std::string_view journal_priority(LogLevel level) noexcept;

}  // namespace hansa
