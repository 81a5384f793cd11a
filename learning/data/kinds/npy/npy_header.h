// The header of an .npy file, versions 1 to 3 (NumPy Enhancement Proposal 1, numpy.lib.format).
//
// Layout: \x93NUMPY, two bytes of version, the length of the text in two bytes (version 1) or four, little-endian; then
// the text of a Python dict: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }; then the values.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data/kinds/arrays/number_type.h"

namespace hansa::learning::kinds {

// fortran: the first dimension is the fastest.
enum class ValueOrder : std::uint8_t { c, fortran };

struct NpyHeader {
  NumberType type = NumberType::float32;
  std::endian byte_order = std::endian::native;
  ValueOrder order = ValueOrder::c;
  std::vector<std::uint64_t> shape;
  std::size_t bytes = 0;  // where the values begin
  std::uint64_t value_bytes = 0;
};

// Largest header that is read. Those of arrays of numbers have 128 bytes.
inline constexpr std::size_t npy_header_bytes_max = 64 * 1024;

[[nodiscard]] bool is_npy(std::span<const std::byte> start);

// `start` is the whole file, or at least its first npy_header_bytes_max bytes; file_bytes is the size of the file. Fails
// (data), naming `location`, if the file is no .npy file, if its values are not numbers, or if it is shorter or longer
// than the header claims.
[[nodiscard]] Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_bytes,
                                                 const std::string& location);

}  // namespace hansa::learning::kinds
