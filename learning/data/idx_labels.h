// The labels of idx files: bytes (MNIST, EMNIST), or larger integers (QMNIST).
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/error.h"

namespace hansa::learning {

// Reads the first examples_max labels (0: all), plain or gzipped. The file has integers of 8, 16 or 32 bits, one for each
// example, or a row of eight, of which the first is the class (QMNIST's idx2-int files). Fails (data), naming the file, if
// it is another file, or the example whose label is negative and not ignored_label.
[[nodiscard]] Result<std::vector<std::int32_t>> read_idx_labels(const std::filesystem::path& path,
                                                                std::uint64_t examples_max = 0);

}  // namespace hansa::learning
