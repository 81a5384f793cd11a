// Names in a sentence.
#pragma once
#include <string>
#include <vector>

namespace hansa::server {

// "a, b, c and 4 more"; `most` names at most.
[[nodiscard]] inline std::string name_list(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
  return out;
}

}  // namespace hansa::server
