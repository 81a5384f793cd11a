// Bounds the log lines that others cause: a few lines a minute for each subject (a client, an address) and reason, and
// a count of the lines that were left out. Memory is bounded. No clock or I/O; one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/time.h"

namespace hansa {

class LogBudget {
 public:
  static constexpr Duration window = std::chrono::seconds(60);
  static constexpr std::uint32_t per_reason_max = 5;
  static constexpr std::uint32_t per_subject_max = 20;
  static constexpr std::size_t reasons_max = 32;  // of a subject; further ones are counted together
  static constexpr std::size_t subjects_max = 4'096;  // further ones get no lines, and are counted together

  // Whether the line may be written. Otherwise it is counted.
  [[nodiscard]] bool allows(std::string_view subject, std::string_view reason, Instant now);

  struct Omitted {
    std::string subject;  // empty: of many
    std::string reason;  // empty: several
    std::uint64_t lines = 0;
    [[nodiscard]] std::string text() const;  // "... and 312 more in the last minute (reason)"
  };
  // When a window is over: what was left out in it. Then the next window begins. Call it regularly.
  [[nodiscard]] std::vector<Omitted> take_omitted(Instant now);

 private:
  struct Lines {
    std::uint32_t written = 0;
    std::uint64_t omitted = 0;
  };
  struct Subject {
    std::uint32_t written = 0;
    std::map<std::string, Lines, std::less<>> reasons;
  };
  [[nodiscard]] Subject& find_subject(std::string_view subject);
  [[nodiscard]] static Lines& find_reason(Subject& subject, std::string_view reason);

  std::map<std::string, Subject, std::less<>> subjects_;
  Instant window_began_{};
};

}  // namespace hansa
