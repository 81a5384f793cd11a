// The types that the numbers of an array in a file may have.
#pragma once
#include <cstddef>
#include <cstdint>

#include "common/data_description.h"

namespace hansa::learning::kinds {

enum class NumberType : std::uint8_t {
  float16,
  bfloat16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  boolean,  // a byte; each value but 0 is true
};

[[nodiscard]] constexpr std::size_t bytes_of(NumberType type) {
  switch (type) {
    case NumberType::int8:
    case NumberType::uint8:
    case NumberType::boolean: return 1;
    case NumberType::float16:
    case NumberType::bfloat16:
    case NumberType::int16:
    case NumberType::uint16: return 2;
    case NumberType::float32:
    case NumberType::int32:
    case NumberType::uint32: return 4;
    case NumberType::float64:
    case NumberType::int64:
    case NumberType::uint64: return 8;
  }
  return 8;
}

[[nodiscard]] constexpr bool is_floating(NumberType type) { return type <= NumberType::float64; }

// The type of an input of such numbers, as for data of kind "tensors". Floating point becomes float32, and so do the
// small integers, which hold pixels and samples. The types of numbers that name something (token ids, indices) are kept.
[[nodiscard]] constexpr ElementType input_type(NumberType type) {
  switch (type) {
    case NumberType::int32: return ElementType::int32;
    case NumberType::uint32:
    case NumberType::int64:
    case NumberType::uint64: return ElementType::int64;
    case NumberType::boolean: return ElementType::boolean;
    default: return ElementType::float32;
  }
}

}  // namespace hansa::learning::kinds
