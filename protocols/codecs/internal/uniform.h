// Values as codes of a uniform grid with one scale per group of 512 values: [scales, float32][codes, packed]. q1 to q8
// use it for all values, topk and randk for those that they select.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::codecs::internal {

inline constexpr std::size_t group_values = 512;

[[nodiscard]] std::size_t uniform_bytes(std::size_t values, unsigned bits);
// How values are rounded to one bit: randomly to plus or minus the largest magnitude, which is unbiased, or to the sign
// times the mean magnitude, which has a smaller error but needs error feedback.
enum class OneBit : std::uint8_t { random, sign };
// Encodes at most Plan::block_values values. Magnitudes above magnitude_max are clamped to it.
void encode_uniform(std::span<const float> values, unsigned bits, OneBit one_bit, std::uint64_t seed,
                    float magnitude_max, std::span<std::byte> out);
// True if every scale is finite and no level is beyond the limit.
[[nodiscard]] bool check_uniform(std::span<const std::byte> bytes, std::size_t values, unsigned bits,
                                 float limit);
void decode_uniform(std::span<const std::byte> bytes, unsigned bits, std::span<float> out);
void fold_uniform(std::span<const std::byte> bytes, unsigned bits, double factor,
                  std::span<std::int64_t> sums);
[[nodiscard]] double squares_of_uniform(std::span<const std::byte> bytes, unsigned bits, std::size_t values);

}  // namespace hansa::codecs::internal
