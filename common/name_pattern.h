// Patterns for names of parameters and of files: "head.*", "*.bias", "client-*.toml".
#pragma once
#include <string_view>

namespace hansa {

// `*` matches any sequence of characters, including none and including dots; every other character matches itself.
[[nodiscard]] constexpr bool matches_pattern(std::string_view name, std::string_view pattern) {
  // The position of the last star in the pattern, and the end of its match in the name. On a mismatch the star's match
  // is extended by one character.
  std::size_t n = 0, p = 0, star = std::string_view::npos, matched = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      matched = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++matched;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace hansa
