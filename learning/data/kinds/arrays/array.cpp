#include "learning/data/kinds/arrays/array.h"

#include <algorithm>

namespace hansa::learning::kinds {

std::optional<std::uint64_t> array_bytes(NumberType type, std::span<const std::uint64_t> shape) {
  constexpr std::uint64_t file_bytes_max = 1ULL << 48;
  if (std::ranges::find(shape, 0U) != shape.end()) return 0;
  std::uint64_t out = bytes_of(type);
  for (const std::uint64_t dimension : shape) {
    if (out > file_bytes_max / dimension) return std::nullopt;
    out *= dimension;
  }
  return out;
}

std::uint64_t ArraySpec::example_bytes() const {
  return array_bytes(type, std::span(shape).subspan(1)).value_or(0);
}

std::span<std::byte> grow(std::vector<std::byte>& values, std::uint64_t bytes) {
  constexpr std::uint64_t step_min = 16U << 20;
  const std::size_t done = values.size();
  values.resize(std::min(bytes, done + std::max<std::uint64_t>(step_min, done)));
  return std::span(values).subspan(done);
}

}  // namespace hansa::learning::kinds
