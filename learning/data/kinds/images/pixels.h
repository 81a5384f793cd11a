// An image in memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hansa::learning::kinds {

struct Pixels {
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t channels = 0;  // 3: red, green, blue; 1: grey
  std::vector<std::uint8_t> values;  // row by row, the channels of a pixel side by side
};

}  // namespace hansa::learning::kinds
