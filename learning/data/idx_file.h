// The idx files of the MNIST family (http://yann.lecun.com/exdb/mnist/), plain or gzipped. No LibTorch.
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
  [[nodiscard]] std::size_t example_size() const;  // values of one example
  [[nodiscard]] std::span<const std::uint8_t> example(std::size_t index) const;
};

// Maximum number of values in a file, and of their bytes (4 GiB). A header that claims more is refused before memory is
// allocated.
inline constexpr std::uint64_t idx_values_max = 1ULL << 32;

// Reads the first examples_max images of bytes (0: all), plain or gzipped whatever the file's name is. Fails (data),
// naming the file, if it is missing, of another kind, type or rank, or shorter or longer than its header claims.
[[nodiscard]] Result<IdxArray> read_idx_images(const std::filesystem::path& path,
                                               std::uint64_t examples_max = 0);

struct IdxPairFiles {
  std::filesystem::path images;
  std::filesystem::path labels;
};
// Images and their labels (idx_labels.h). Reading fails (data) if their counts differ.
struct IdxExamples {
  IdxArray images;
  std::vector<std::int32_t> labels;
};
[[nodiscard]] Result<IdxExamples> read_idx_examples(const IdxPairFiles& files,
                                                    std::uint64_t examples_max = 0);
// The same with labels of bytes, as write_idx() writes them. Fails (data) as well if a label is not from 0 to 255.
struct IdxPair {
  IdxArray images;
  IdxArray labels;
};
[[nodiscard]] Result<IdxPair> read_idx_pair(const IdxPairFiles& files, std::uint64_t examples_max = 0);

// Writes the file uncompressed and atomically. The number of values must be the product of the dimensions.
[[nodiscard]] Result<void> write_idx(const std::filesystem::path& path, const IdxArray& array);

}  // namespace hansa::learning
