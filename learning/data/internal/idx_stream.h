// Header and values of an idx file.
//
// Layout, big-endian: 0, 0, the type of the values, rank; then rank dimensions of four bytes; then the values, last
// dimension fastest. The first dimension is the number of examples.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/error.h"
#include "learning/data/internal/byte_stream.h"

namespace hansa::learning::internal {

enum class IdxType : std::uint8_t {
  unsigned_byte = 0x08,
  signed_byte = 0x09,
  short_integer = 0x0B,
  integer = 0x0C,
  single_precision = 0x0D,
  double_precision = 0x0E,
};
[[nodiscard]] std::size_t bytes_of(IdxType type);

struct IdxHeader {
  IdxType type = IdxType::unsigned_byte;
  std::vector<std::uint32_t> dimensions;
};

// Fails (data) if the file does not begin like an idx file. The dimensions are not checked.
[[nodiscard]] Result<IdxHeader> read_idx_header(ByteStream& stream);

// Reads the values of the first examples_max examples (0: all), as they are in the file, and lowers the first dimension
// to their number. Fails (data) if the header claims more than idx_values_max bytes, or another number than there are.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_idx_values(ByteStream& stream, IdxHeader& header,
                                                                std::uint64_t examples_max);

// The product of the dimensions, or more than idx_values_max.
[[nodiscard]] std::uint64_t idx_value_count(std::span<const std::uint32_t> dimensions);

}  // namespace hansa::learning::internal
