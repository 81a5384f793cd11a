#include "common/terminal_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace hansa {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::string clipped(std::string line, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (is_continuation(line[i]) || ++seen < columns) continue;
    const auto rest = std::count_if(line.begin() + static_cast<std::ptrdiff_t>(i), line.end(),
                                    [](char c) { return !is_continuation(c); });
    return rest > 1 ? line.substr(0, i) + "…" : line;
  }
  return line;
}

std::size_t character_count(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::string duration_text(double seconds) {
  const auto total = std::lround(seconds);
  if (total < 60) return fmt::format("{} s", total);
  if (total < 3600) return fmt::format("{} min {:02} s", total / 60, total % 60);
  return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
}

}  // namespace hansa
