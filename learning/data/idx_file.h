// The MNIST family's idx files (http://yann.lecun.com/exdb/mnist/), plain or gzipped: bytes in, no LibTorch.
//
// Layout, big-endian: 0, 0, 0x08 (unsigned byte), rank; then rank dimensions of four bytes; then
// the values, last dimension fastest. The first dimension counts the examples.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "common/error.h"

namespace hansa::learning {

struct IdxArray {
  std::vector<std::uint32_t> dimensions;  // {examples, rows, columns} or {examples}
  std::vector<std::uint8_t> values;

  [[nodiscard]] std::size_t example_count() const { return dimensions.empty() ? 0 : dimensions.front(); }
  [[nodiscard]] std::size_t example_size() const;  // values an example has
  [[nodiscard]] std::span<const std::uint8_t> example(std::size_t index) const;
};

// Values a file may hold: 4 GiB. What a header claims beyond it is refused before memory is asked for.
inline constexpr std::uint64_t idx_values_max = 1ULL << 32;

// Reads the first examples_max examples (0: all); a file whose name says nothing about compression is told
// by its first bytes. rank is 3 for images and 1 for labels. Fails (data), naming the file, if it is
// missing, of another kind or rank, shorter than its header claims, or longer.
[[nodiscard]] Result<IdxArray> read_idx(const std::filesystem::path& path, std::size_t rank,
                                        std::uint64_t examples_max = 0);
// Images and their labels; fails (data) if their counts differ.
struct IdxPair {
  IdxArray images;
  IdxArray labels;
};
struct IdxPairFiles {
  std::filesystem::path images;
  std::filesystem::path labels;
};
[[nodiscard]] Result<IdxPair> read_idx_pair(const IdxPairFiles& files, std::uint64_t examples_max = 0);

// Plain (not gzipped), atomically. The values' count is the product of the dimensions.
[[nodiscard]] Result<void> write_idx(const std::filesystem::path& path, const IdxArray& array);

}  // namespace hansa::learning
