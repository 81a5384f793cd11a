// Helpers for text.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace hansa {

// The text without leading and trailing characters that are in `blanks`.
[[nodiscard]] constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n") {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// The length of the longest start of the text that is valid UTF-8 and has at most bytes_max bytes.
[[nodiscard]] std::size_t utf8_prefix(std::string_view text, std::size_t bytes_max);
[[nodiscard]] inline bool is_utf8(std::string_view text) {
  return utf8_prefix(text, text.size()) == text.size();
}

// A text of another party, for a log line or a terminal: one line of valid UTF-8. Control characters, those that change
// the direction of the text, and bytes that are not UTF-8 are escaped (\x1b, \u202e).
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace hansa
