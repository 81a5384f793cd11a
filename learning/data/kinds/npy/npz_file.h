// An .npz file: a zip archive of .npy files. The name of each is that of its array.
#pragma once
#include <cstdint>
#include <filesystem>

#include "common/error.h"
#include "learning/data/kinds/arrays/arrays_source.h"

namespace hansa::learning::kinds {

struct NpzArrays {
  NamedArrays arrays;
  std::uint64_t count = 0;  // of examples
};

// Reads the first examples_max examples (0: all) of all arrays into memory. Fails (data) if the file is damaged, if it
// holds something other than arrays of numbers, or more than held_bytes_max.
[[nodiscard]] Result<NpzArrays> read_npz(const std::filesystem::path& path, std::uint64_t examples_max);

}  // namespace hansa::learning::kinds
