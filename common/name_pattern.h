// Patterns for parameters' names: "head.*", "*.bias".
#pragma once
#include <string_view>

namespace hansa {

// `*` stands for any characters, also none and also dots; everything else for itself.
[[nodiscard]] constexpr bool matches_pattern(std::string_view name, std::string_view pattern) {
  // Where the last star and what it took stand: on a mismatch it takes one character more.
  std::size_t n = 0, p = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace hansa
