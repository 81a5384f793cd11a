// Where a client's (or the evaluation's) examples come from. Torch-free.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace hansa::learning {

struct DataConfig {
  std::string kind = "idx";  // "idx": the MNIST family's files, plain or .gz
  std::filesystem::path images;  // idx3-ubyte (n x rows x columns); values are scaled to [0, 1]
  std::filesystem::path labels;  // idx1-ubyte (n)
  std::uint64_t examples_max = 0;  // use only the first so many; 0: all
};

}  // namespace hansa::learning
