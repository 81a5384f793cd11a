// Values as codes of a uniform grid with a scale for each group of 512: [scales, float32][codes, packed]. What q1 to q8 are, and
// how topk and randk store the values that they chose.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::codecs::internal {

inline constexpr std::size_t group_values = 512;

[[nodiscard]] std::size_t uniform_bytes(std::size_t values, unsigned bits);
// How one bit rounds: at random between plus and minus the largest magnitude, which is unbiased, or to the sign times the
// mean magnitude, which is nearer and for those who keep what was lost.
enum class OneBit : std::uint8_t { random, sign };
// At most Plan::block_values; larger magnitudes than magnitude_max are cut to it.
void encode_uniform(std::span<const float> values, unsigned bits, OneBit one_bit, std::uint64_t seed,
                    float magnitude_max, std::span<std::byte> out);
// Every scale finite, and no level beyond limit.
[[nodiscard]] bool check_uniform(std::span<const std::byte> bytes, std::size_t values, unsigned bits,
                                 float limit);
void decode_uniform(std::span<const std::byte> bytes, unsigned bits, std::span<float> out);
void fold_uniform(std::span<const std::byte> bytes, unsigned bits, double factor,
                  std::span<std::int64_t> sums);

}  // namespace hansa::codecs::internal
