#include "learning/data/kinds/arrays/convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <limits>
#include <type_traits>

#include "learning/data/kinds/arrays/half.h"

namespace hansa::learning::kinds {
namespace {

struct Half {
  std::uint16_t bits;
};
struct BrainFloat {
  std::uint16_t bits;
};
struct Boolean {
  std::uint8_t byte;
};

// The number whose bytes are at `from`, in the byte order of this machine or, if swapped, in the other one.
template <class Stored, bool swapped>
auto number_at(const std::byte* from) {
  std::array<std::byte, sizeof(Stored)> bytes;
  if constexpr (swapped) std::reverse_copy(from, from + sizeof(Stored), bytes.begin());
  else std::memcpy(bytes.data(), from, sizeof(Stored));
  const auto stored = std::bit_cast<Stored>(bytes);
  if constexpr (std::is_same_v<Stored, Half>) return float_of_half(stored.bits);
  else if constexpr (std::is_same_v<Stored, BrainFloat>) return float_of_bfloat(stored.bits);
  else if constexpr (std::is_same_v<Stored, Boolean>) return std::uint8_t{stored.byte != 0};
  else if constexpr (std::is_same_v<Stored, std::uint64_t>)
    return static_cast<std::int64_t>(
        std::min(stored, std::uint64_t{std::numeric_limits<std::int64_t>::max()}));
  else return stored;
}

template <class Stored, bool swapped, class To>
void convert(const Array& array, std::span<const std::uint32_t> indices, std::span<To> out) {
  const std::uint64_t bytes = array.spec.example_bytes();
  const std::size_t size = bytes / sizeof(Stored);
  assert(out.size() == indices.size() * size);
  To* to = out.data();
  for (const std::uint32_t index : indices) {
    const std::byte* from = array.values.data() + index * bytes;
    for (std::size_t i = 0; i < size; ++i)
      to[i] = static_cast<To>(number_at<Stored, swapped>(from + i * sizeof(Stored)));
    to += size;
  }
}

template <class Stored, class To>
void convert_from(const Array& array, std::span<const std::uint32_t> indices, std::span<To> out) {
  if (array.byte_order == std::endian::native) convert<Stored, false>(array, indices, out);
  else convert<Stored, true>(array, indices, out);
}

template <class To>
void convert_to(const Array& array, std::span<const std::uint32_t> indices, TensorBytes to) {
  const std::span<To> out = values_of<To>(to);
  switch (array.spec.type) {
    case NumberType::float16: return convert_from<Half>(array, indices, out);
    case NumberType::bfloat16: return convert_from<BrainFloat>(array, indices, out);
    case NumberType::float32: return convert_from<float>(array, indices, out);
    case NumberType::float64: return convert_from<double>(array, indices, out);
    case NumberType::int8: return convert_from<std::int8_t>(array, indices, out);
    case NumberType::int16: return convert_from<std::int16_t>(array, indices, out);
    case NumberType::int32: return convert_from<std::int32_t>(array, indices, out);
    case NumberType::int64: return convert_from<std::int64_t>(array, indices, out);
    case NumberType::uint8: return convert_from<std::uint8_t>(array, indices, out);
    case NumberType::uint16: return convert_from<std::uint16_t>(array, indices, out);
    case NumberType::uint32: return convert_from<std::uint32_t>(array, indices, out);
    case NumberType::uint64: return convert_from<std::uint64_t>(array, indices, out);
    case NumberType::boolean: return convert_from<Boolean>(array, indices, out);
  }
}

}  // namespace

void convert_examples(const Array& array, std::span<const std::uint32_t> indices, ElementType type,
                      TensorBytes to) {
  switch (type) {
    case ElementType::float32: return convert_to<float>(array, indices, to);
    case ElementType::uint8:
    case ElementType::boolean: return convert_to<std::uint8_t>(array, indices, to);
    case ElementType::int32: return convert_to<std::int32_t>(array, indices, to);
    case ElementType::int64: return convert_to<std::int64_t>(array, indices, to);
  }
}

}  // namespace hansa::learning::kinds
