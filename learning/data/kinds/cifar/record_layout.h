// The records of the binary files of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): one label
// (CIFAR-10) or the coarse and the fine label (CIFAR-100), a byte each, then the 32 x 32 pixels of the red, the green and
// the blue channel, row by row.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "common/error.h"

namespace hansa::learning::kinds {

inline constexpr std::size_t cifar_image_bytes = 3 * 32 * 32;

struct CifarLayout {
  std::size_t labels;  // bytes before the image
  std::array<std::uint8_t, 2> class_counts;  // of each label

  [[nodiscard]] constexpr std::size_t record_bytes() const { return labels + cifar_image_bytes; }
  friend bool operator==(const CifarLayout&, const CifarLayout&) = default;
};
inline constexpr CifarLayout cifar_10{.labels = 1, .class_counts = {10, 0}};
inline constexpr CifarLayout cifar_100{.labels = 2, .class_counts = {20, 100}};

// The layout whose record size divides the size of the file. Both divide it if it is a multiple of 9,446,402 bytes, which
// no published file is: then the layout in which all labels of the file are classes. Fails (data) if none fits, or both.
[[nodiscard]] Result<CifarLayout> find_cifar_layout(const std::filesystem::path& file);

}  // namespace hansa::learning::kinds
