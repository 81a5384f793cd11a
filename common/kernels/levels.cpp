// Compiled once for each instruction set: foreach_target.h includes this file repeatedly.
#include "common/kernels/instruction_sets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/levels.cpp"
#include <hwy/foreach_target.h>
// The headers below must follow foreach_target.h.
#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include <hwy/highway.h>

#include "common/kernels/levels.h"
#include "common/kernels/parts.h"

#ifndef HANSA_KERNELS_LEVELS_ONCE
#define HANSA_KERNELS_LEVELS_ONCE
namespace hansa::kernels {
namespace {

// "lowbias32" (Wellons): a bijection in which every output bit depends on every input bit.
inline std::uint32_t mix(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ x >> 16;
}
inline float random_part(std::uint64_t seed, std::size_t i) {
  const std::uint32_t bits = mix((static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(seed)) ^
                                 static_cast<std::uint32_t>(seed >> 32));
  return static_cast<float>(bits >> 16) * (1.0F / 65536);
}
// The order of the arguments of std::max matters in these functions: a NaN becomes the first one, and the code of a NaN
// is one of the codes, as with vectors. A conversion of it to an integer would be undefined.
inline std::uint8_t random_code(float value, float inverse, unsigned bits, float part) {
  const auto most = static_cast<float>((1U << bits) - 1);
  const float at = value * inverse + most * 0.5F;
  return static_cast<std::uint8_t>(std::min(std::max(-0.5F, at) + part, most));
}
// scaled: the value times the inverse.
inline std::uint8_t nearest_code(float scaled, unsigned bits) {
  const auto most = static_cast<float>((1U << bits) - 1);
  return static_cast<std::uint8_t>(
      std::min(std::max(0.0F, scaled + static_cast<float>(1U << (bits - 1))), most));
}
inline float level_of(std::uint8_t code, unsigned bits) {
  return static_cast<float>(2 * code + 1 - (1 << bits));
}

constexpr std::size_t parts = 16;

}  // namespace
}  // namespace hansa::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Integers = hn::Repartition<std::int32_t, Floats>;
using Words = hn::Repartition<std::uint32_t, Floats>;
using Codes = hn::Rebind<std::uint8_t, Floats>;

template <class V>
HWY_INLINE V mix(V x) {
  const Words u32;
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<16>(x)), hn::Set(u32, 0x7feb352dU));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<15>(x)), hn::Set(u32, 0x846ca68bU));
  return hn::Xor(x, hn::ShiftRight<16>(x));
}

float QuantiseNearest(const float* HWY_RESTRICT values, std::size_t count, float inverse, unsigned bits,
                      std::uint8_t* HWY_RESTRICT codes) {
  // The parts of the sum are kept in one or more vectors.
  const hn::CappedTag<float, parts> f32;
  const hn::Repartition<std::int32_t, decltype(f32)> i32;
  const hn::Rebind<std::uint8_t, decltype(f32)> u8;
  constexpr std::size_t lanes = hn::MaxLanes(hn::CappedTag<float, parts>());
  const auto most = hn::Set(f32, static_cast<float>((1U << bits) - 1));
  const auto shift = hn::Set(f32, static_cast<float>(1U << (bits - 1)));
  const auto by = hn::Set(f32, inverse), two = hn::Set(f32, 2.0F);
  HWY_ALIGN float part[parts] = {};
  decltype(hn::Zero(f32)) sums[parts / lanes];
  for (auto& sum : sums) sum = hn::Zero(f32);
  std::size_t i = 0;
  for (; i + parts <= count; i += parts) {
    for (std::size_t n = 0; n < parts / lanes; ++n) {
      const auto scaled = hn::Mul(hn::LoadU(f32, values + i + n * lanes), by);
      const auto clamped = hn::Min(hn::Max(hn::Add(scaled, shift), hn::Zero(f32)), most);
      const auto code = hn::ConvertTo(i32, clamped);
      const auto level = hn::MulSub(hn::ConvertTo(f32, code), two, most);  // exact, fused or not
      sums[n] = hn::Add(sums[n], hn::Mul(scaled, level));
      hn::StoreU(hn::DemoteTo(u8, code), u8, codes + i + n * lanes);
    }
  }
  for (std::size_t n = 0; n < parts / lanes; ++n) hn::StoreU(sums[n], f32, part + n * lanes);
  for (; i < count; ++i) {
    const float scaled = values[i] * inverse;
    codes[i] = nearest_code(scaled, bits);
    part[i % parts] += scaled * level_of(codes[i], bits);
  }
  return sum_of_parts(part);
}

void QuantiseRandom(const float* HWY_RESTRICT values, std::size_t count, float inverse, unsigned bits,
                    std::uint64_t seed, std::uint8_t* HWY_RESTRICT codes) {
  const Floats f32;
  const Words u32;
  const Integers i32;
  const Codes u8;
  const std::size_t lanes = hn::Lanes(f32);
  const auto most = hn::Set(f32, static_cast<float>((1U << bits) - 1));
  const auto half = hn::Mul(most, hn::Set(f32, 0.5F)), least = hn::Set(f32, -0.5F);
  const auto by = hn::Set(f32, inverse), unit = hn::Set(f32, 1.0F / 65536);
  // Iota is called once, outside the loop: with a first value that is not constant it is built in memory.
  const auto low = hn::Add(hn::Iota(u32, 0), hn::Set(u32, static_cast<std::uint32_t>(seed)));
  const auto high = hn::Set(u32, static_cast<std::uint32_t>(seed >> 32));
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto bits32 = mix(hn::Xor(hn::Add(low, hn::Set(u32, static_cast<std::uint32_t>(i))), high));
    const auto part = hn::Mul(hn::ConvertTo(f32, hn::BitCast(i32, hn::ShiftRight<16>(bits32))), unit);
    const auto at = hn::Add(hn::Mul(hn::LoadU(f32, values + i), by), half);
    const auto clamped = hn::Min(hn::Add(hn::Max(at, least), part), most);
    hn::StoreU(hn::DemoteTo(u8, hn::ConvertTo(i32, clamped)), u8, codes + i);
  }
  for (; i < count; ++i) codes[i] = random_code(values[i], inverse, bits, random_part(seed, i));
}

void LevelsToValues(const std::uint8_t* HWY_RESTRICT codes, std::size_t count, unsigned bits, float scale,
                    float* HWY_RESTRICT out) {
  const Floats f32;
  const Integers i32;
  const Codes u8;
  const std::size_t lanes = hn::Lanes(f32);
  const std::int32_t offset = 1 - (1 << bits);
  const auto by = hn::Set(f32, scale);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = hn::PromoteTo(i32, hn::LoadU(u8, codes + i));
    const auto level = hn::Add(hn::Add(code, code), hn::Set(i32, offset));
    hn::StoreU(hn::Mul(hn::ConvertTo(f32, level), by), f32, out + i);
  }
  for (; i < count; ++i) out[i] = level_of(codes[i], bits) * scale;
}

// 2^16 squares of at most 255^2 fit in 32 bits without a sign.
std::uint64_t SumOfSquaredLevels(const std::uint8_t* codes, std::size_t count, unsigned bits) {
  const Words u32;
  const Integers i32;
  const Codes u8;
  const std::size_t lanes = hn::Lanes(i32);
  const std::int32_t offset = 1 - (1 << bits);
  auto sums = hn::Zero(i32);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = hn::PromoteTo(i32, hn::LoadU(u8, codes + i));
    const auto level = hn::Add(hn::Add(code, code), hn::Set(i32, offset));
    sums = hn::Add(sums, hn::Mul(level, level));
  }
  std::uint32_t out = hn::GetLane(hn::SumOfLanes(u32, hn::BitCast(u32, sums)));
  for (; i < count; ++i) {
    const std::int32_t level = 2 * codes[i] + offset;
    out += static_cast<std::uint32_t>(level * level);
  }
  return out;
}

// combine joins pairs of codes of `width` bits (one code per byte) into codes of twice the width; split reverses it.
template <int width>
HWY_INLINE void combine(const std::uint8_t* codes, std::size_t pairs, std::uint8_t* out) {
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::int16_t> i16;
  const hn::Rebind<std::uint8_t, decltype(i16)> u8;
  const hn::Repartition<std::uint8_t, decltype(i16)> bytes;
  const std::size_t lanes = hn::Lanes(i16);
  for (; i + lanes <= pairs; i += lanes) {
    const auto both = hn::BitCast(i16, hn::LoadU(bytes, codes + 2 * i));
    const auto first = hn::And(both, hn::Set(i16, std::int16_t{0xFF}));
    const auto second =
        hn::ShiftLeft<width>(hn::And(hn::ShiftRight<8>(both), hn::Set(i16, std::int16_t{(1 << width) - 1})));
    hn::StoreU(hn::DemoteTo(u8, hn::Or(first, second)), u8, out + i);
  }
#endif
  for (; i < pairs; ++i) out[i] = static_cast<std::uint8_t>(codes[2 * i] | codes[2 * i + 1] << width);
}
template <int width>
HWY_INLINE void split(const std::uint8_t* codes, std::size_t pairs, std::uint8_t* out) {
  constexpr std::uint16_t mask = (1 << width) - 1;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint16_t> u16;
  const hn::Rebind<std::uint8_t, decltype(u16)> u8;
  const hn::Repartition<std::uint8_t, decltype(u16)> bytes;
  const std::size_t lanes = hn::Lanes(u16);
  for (; i + lanes <= pairs; i += lanes) {
    const auto both = hn::PromoteTo(u16, hn::LoadU(u8, codes + i));
    const auto first = hn::And(both, hn::Set(u16, mask));
    const auto second = hn::And(hn::ShiftRight<width>(both), hn::Set(u16, mask));
    hn::StoreU(hn::BitCast(bytes, hn::Or(first, hn::ShiftLeft<8>(second))), bytes, out + 2 * i);
  }
#endif
  for (; i < pairs; ++i) {
    out[2 * i] = static_cast<std::uint8_t>(codes[i] & mask);
    out[2 * i + 1] = static_cast<std::uint8_t>(codes[i] >> width & mask);
  }
}

constexpr std::size_t group = 1024;  // codes per group: intermediate results stay in the first-level cache

// count is a multiple of 8; bits is 1, 2 or 4.
void PackCodes(const std::uint8_t* codes, std::size_t count, unsigned bits, std::uint8_t* packed) {
  HWY_ALIGN std::uint8_t twos[group / 2];
  HWY_ALIGN std::uint8_t fours[group / 2];
  for (std::size_t at = 0; at < count; at += group) {
    const std::size_t n = std::min(group, count - at);
    const std::uint8_t* from = codes + at;
    std::size_t left = n;
    if (bits == 1) {
      combine<1>(from, left / 2, twos);
      from = twos;
      left /= 2;
    }
    if (bits <= 2) {
      combine<2>(from, left / 2, fours);
      from = fours;
      left /= 2;
    }
    combine<4>(from, left / 2, packed + at * bits / 8);
  }
}
void UnpackCodes(const std::uint8_t* packed, unsigned bits, std::uint8_t* codes, std::size_t count) {
  HWY_ALIGN std::uint8_t fours[group / 2];
  HWY_ALIGN std::uint8_t twos[group / 2];
  for (std::size_t at = 0; at < count; at += group) {
    const std::size_t n = std::min(group, count - at), bytes = n * bits / 8;
    if (bits == 4) {
      split<4>(packed + at * bits / 8, bytes, codes + at);
      continue;
    }
    split<4>(packed + at * bits / 8, bytes, fours);
    if (bits == 2) {
      split<2>(fours, 2 * bytes, codes + at);
      continue;
    }
    split<2>(fours, 2 * bytes, twos);
    split<1>(twos, 4 * bytes, codes + at);
  }
}

// The bits of the largest magnitude. Without the sign, float32 bits compare like the magnitudes.
std::int32_t LargestBits(const float* values, std::size_t count) {
  const Integers i32;
  const std::size_t lanes = hn::Lanes(i32);
  const auto* bits = reinterpret_cast<const std::int32_t*>(values);
  auto largest = hn::Zero(i32);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    largest = hn::Max(largest, hn::And(hn::LoadU(i32, bits + i), hn::Set(i32, 0x7FFFFFFF)));
  std::int32_t out = hn::GetLane(hn::MaxOfLanes(i32, largest));
  for (; i < count; ++i) out = std::max(out, bits[i] & 0x7FFFFFFF);
  return out;
}

}  // namespace hansa::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hansa::kernels {

HWY_EXPORT(QuantiseNearest);
HWY_EXPORT(QuantiseRandom);
HWY_EXPORT(LevelsToValues);
HWY_EXPORT(SumOfSquaredLevels);
HWY_EXPORT(PackCodes);
HWY_EXPORT(UnpackCodes);
HWY_EXPORT(LargestBits);

float quantise_nearest(std::span<const float> values, float inverse, unsigned bits,
                       std::span<std::uint8_t> codes) {
  return HWY_DYNAMIC_DISPATCH(QuantiseNearest)(values.data(), values.size(), inverse, bits, codes.data());
}
float quantise_nearest_reference(std::span<const float> values, float inverse, unsigned bits,
                                 std::span<std::uint8_t> codes) {
  float part[parts] = {};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scaled = values[i] * inverse;
    codes[i] = nearest_code(scaled, bits);
    part[i % parts] += scaled * level_of(codes[i], bits);
  }
  return sum_of_parts(part);
}

void quantise_random(std::span<const float> values, float inverse, unsigned bits, std::uint64_t seed,
                     std::span<std::uint8_t> codes) {
  HWY_DYNAMIC_DISPATCH(QuantiseRandom)(values.data(), values.size(), inverse, bits, seed, codes.data());
}
void quantise_random_reference(std::span<const float> values, float inverse, unsigned bits,
                               std::uint64_t seed, std::span<std::uint8_t> codes) {
  for (std::size_t i = 0; i < values.size(); ++i)
    codes[i] = random_code(values[i], inverse, bits, random_part(seed, i));
}

void levels_to_values(std::span<const std::uint8_t> codes, unsigned bits, float scale, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(LevelsToValues)(codes.data(), codes.size(), bits, scale, out.data());
}
void levels_to_values_reference(std::span<const std::uint8_t> codes, unsigned bits, float scale,
                                std::span<float> out) {
  for (std::size_t i = 0; i < codes.size(); ++i) out[i] = level_of(codes[i], bits) * scale;
}

std::uint64_t sum_of_squared_levels(std::span<const std::uint8_t> codes, unsigned bits) {
  assert(codes.size() <= std::size_t{1} << 16);
  if (bits == 1) return codes.size();  // each level is 1 or -1
  return HWY_DYNAMIC_DISPATCH(SumOfSquaredLevels)(codes.data(), codes.size(), bits);
}
std::uint64_t sum_of_squared_levels_reference(std::span<const std::uint8_t> codes, unsigned bits) {
  std::uint64_t out = 0;
  for (const std::uint8_t code : codes) {
    const int level = 2 * code + 1 - (1 << bits);
    out += static_cast<std::uint64_t>(level * level);
  }
  return out;
}

namespace {
bool is_vectorised(unsigned bits) { return bits == 1 || bits == 2 || bits == 4; }
}  // namespace

void pack_codes(std::span<const std::uint8_t> codes, unsigned bits, std::span<std::uint8_t> packed) {
  if (bits == 8) {
    std::copy(codes.begin(), codes.end(), packed.begin());
    return;
  }
  const std::size_t whole = is_vectorised(bits) ? codes.size() / 8 * 8 : 0;
  if (whole > 0) HWY_DYNAMIC_DISPATCH(PackCodes)(codes.data(), whole, bits, packed.data());
  pack_codes_reference(codes.subspan(whole), bits, packed.subspan(whole * bits / 8));
}
void pack_codes_reference(std::span<const std::uint8_t> codes, unsigned bits,
                          std::span<std::uint8_t> packed) {
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  std::size_t at = 0;
  for (const std::uint8_t code : codes) {
    held |= std::uint32_t{code} << held_bits;
    for (held_bits += bits; held_bits >= 8; held_bits -= 8, held >>= 8)
      packed[at++] = static_cast<std::uint8_t>(held & 0xFF);
  }
  if (held_bits > 0) packed[at] = static_cast<std::uint8_t>(held);
}

void unpack_codes(std::span<const std::uint8_t> packed, unsigned bits, std::span<std::uint8_t> codes) {
  if (bits == 8) {
    std::copy_n(packed.begin(), codes.size(), codes.begin());
    return;
  }
  const std::size_t whole = is_vectorised(bits) ? codes.size() / 8 * 8 : 0;
  if (whole > 0) HWY_DYNAMIC_DISPATCH(UnpackCodes)(packed.data(), bits, codes.data(), whole);
  unpack_codes_reference(packed.subspan(whole * bits / 8), bits, codes.subspan(whole));
}
void unpack_codes_reference(std::span<const std::uint8_t> packed, unsigned bits,
                            std::span<std::uint8_t> codes) {
  const std::uint32_t mask = (1U << bits) - 1;
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  std::size_t at = 0;
  for (std::uint8_t& code : codes) {
    for (; held_bits < bits; held_bits += 8) held |= std::uint32_t{packed[at++]} << held_bits;
    code = static_cast<std::uint8_t>(held & mask);
    held >>= bits;
    held_bits -= bits;
  }
}

namespace {
float magnitude_of(std::int32_t bits) {
  const float out = std::bit_cast<float>(bits);
  return std::isfinite(out) ? out : std::numeric_limits<float>::infinity();
}
}  // namespace

float largest_magnitude(std::span<const float> values) {
  return magnitude_of(HWY_DYNAMIC_DISPATCH(LargestBits)(values.data(), values.size()));
}
float largest_magnitude_reference(std::span<const float> values) {
  std::int32_t out = 0;
  for (const float value : values) out = std::max(out, std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF);
  return magnitude_of(out);
}

}  // namespace hansa::kernels
#endif
