// Patterns for names of parameters and of files: "head.*", "*.bias", "client-*.toml"; and for parameters by the type of their
// layer: "@normalisation".
#pragma once
#include <string_view>

namespace hansa {

// Not a pattern of names: the parameters and buffers of all normalisation layers, whatever they are called.
inline constexpr std::string_view normalisation_layers = "@normalisation";

// Whether it selects by the type of the layer. No parameter of a TorchScript archive has such a name.
[[nodiscard]] constexpr bool is_layer_type(std::string_view pattern) { return pattern.starts_with('@'); }

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
