// Small data files in the test's temporary folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "learning/data/data_config.h"
#include "tests/temporary_folder.h"

namespace hansa::learning::testing {

using hansa::TemporaryFolder;

struct DataShape {
  std::uint32_t examples = 20;
  std::uint32_t rows = 4;
  std::uint32_t columns = 4;
  std::uint8_t classes = 3;
};

// Writes images of noise with bright rows that show the class: the rows whose number modulo classes is the class.
[[nodiscard]] DataConfig write_data(const TemporaryFolder& folder, const DataShape& shape,
                                    std::uint64_t seed = 1);

void write_text(const std::filesystem::path& path, const std::string& text);
void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);
[[nodiscard]] std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path);
[[nodiscard]] std::vector<std::uint8_t> gzipped(const std::vector<std::uint8_t>& bytes);

}  // namespace hansa::learning::testing
