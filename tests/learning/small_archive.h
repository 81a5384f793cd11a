// ZIP files as torch.jit.save() writes them, of a few records and without LibTorch.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hansa::learning::testing {

struct SmallRecord {
  std::string name;  // within the archive's folder
  std::string content;
};

enum class ChecksumPlace : std::uint8_t { behind, in_header };
enum class DirectoryEnd : std::uint8_t { with_zip64, plain };

struct SmallArchive {
  std::vector<SmallRecord> records;
  ChecksumPlace checksums = ChecksumPlace::behind;
  DirectoryEnd end = DirectoryEnd::with_zip64;
};

// The bytes of the file. Records are stored without compression; their bytes begin at multiples of 64.
[[nodiscard]] std::string bytes_of(const SmallArchive& archive);

// Two tensors, of three values and of one, the same number as a constant, code, and a pickle.
[[nodiscard]] SmallArchive two_tensors();

}  // namespace hansa::learning::testing
