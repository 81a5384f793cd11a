// Lines of text for terminals. Pure functions.
#pragma once
#include <cstddef>
#include <string>

namespace hansa {

struct TerminalSize {
  std::size_t columns = 100;
  std::size_t rows = 24;
};

// At most this many characters of valid UTF-8, each taken to be a column wide. What is cut off is "…" if the rest has
// several characters.
[[nodiscard]] std::string clipped(std::string line, std::size_t columns);
// The number of characters of valid UTF-8.
[[nodiscard]] std::size_t character_count(const std::string& text);

// "3 h 05 min", "2 min 07 s", "12 s". Seconds: 0 to 1e9.
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace hansa
