// Compiled once for each instruction set: foreach_target.h includes this file repeatedly.
#include "common/kernels/instruction_sets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/hadamard.cpp"
#include <hwy/foreach_target.h>
// The headers below must follow foreach_target.h.
#include <algorithm>
#include <bit>
#include <cassert>

#include <hwy/highway.h>

#include "common/kernels/hadamard.h"
#include "common/splitmix64.h"

#ifndef HANSA_KERNELS_HADAMARD_ONCE
#define HANSA_KERNELS_HADAMARD_ONCE
namespace hansa::kernels {
namespace {

// The signs of the values 64 n to 64 n + 63, one bit each.
inline std::uint64_t sign_bits(std::uint64_t seed, std::size_t n) { return splitmix64(seed, n); }
inline float flipped(float value, std::uint64_t seed, std::size_t i, float limit) {
  const auto sign = static_cast<std::uint32_t>(sign_bits(seed, i / 64) >> i % 64 & 1) << 31;
  return std::clamp(std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ sign), -limit, limit);
}

}  // namespace
}  // namespace hansa::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: the smallest block has 16 values and must fill a vector.
using Floats = hn::CappedTag<float, 16>;
using Words = hn::Repartition<std::uint32_t, Floats>;

// The number of vectors that a pass of the transform keeps in registers.
constexpr std::size_t radix_max = HWY_TARGET <= HWY_AVX3 ? 16 : 8;

// The butterflies within a vector, with the same roundings as the scalar reference. Each lane holds v * sign + other,
// where other is the lane `stride` away: a + b in the first lane of a pair, and -b + a, which equals a - b, in the
// second.
template <std::size_t stride, class V>
HWY_INLINE V butterfly_within(V v) {
  const Floats f32;
  const Words u32;
  const auto lane = hn::Iota(u32, 0);
  const hn::Repartition<std::int32_t, Floats> i32;
  const auto other =
      hn::TableLookupLanes(v, hn::IndicesFromVec(f32, hn::BitCast(i32, hn::Xor(lane, hn::Set(u32, stride)))));
  // The sign is -1 in the second lane of each pair. The product is exact, fused or not.
  constexpr int shift = 31 - std::countr_zero(stride);
  const auto second = hn::ShiftLeft<shift>(hn::And(lane, hn::Set(u32, stride)));
  const auto sign = hn::BitCast(f32, hn::Or(second, hn::Set(u32, std::bit_cast<std::uint32_t>(1.0F))));
  return hn::MulAdd(v, sign, other);
}

// The butterflies of all strides from `stride` to radix / 2 * stride; in the first pass also those of the strides
// below, within a vector. Each value is loaded and stored once for all of them.
template <std::size_t radix, bool first>
HWY_INLINE void pass(float* HWY_RESTRICT values, std::size_t size, std::size_t stride) {
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f32);
  const auto one = hn::Set(f32, 1.0F);
  for (std::size_t block = 0; block < size; block += radix * stride) {
    for (std::size_t i = block; i < block + stride; i += lanes) {
      decltype(hn::Zero(f32)) v[radix];
#pragma GCC unroll 16
      for (std::size_t k = 0; k < radix; ++k) {
        v[k] = hn::LoadU(f32, values + i + k * stride);
        if constexpr (first) {
          if (lanes > 1) v[k] = butterfly_within<1>(v[k]);
          if (lanes > 2) v[k] = butterfly_within<2>(v[k]);
          if (lanes > 4) v[k] = butterfly_within<4>(v[k]);
          if (lanes > 8) v[k] = butterfly_within<8>(v[k]);
        }
      }
#pragma GCC unroll 4
      for (std::size_t half = 1; half < radix; half *= 2) {
#pragma GCC unroll 16
        for (std::size_t k = 0; k < radix; ++k) {
          if ((k & half) != 0) continue;
          const auto a = v[k], b = v[k + half];
          v[k] = hn::Add(a, b);
          // a - b, computed by the multipliers because the adders are busy.
          v[k + half] = hn::NegMulAdd(b, one, a);
        }
      }
#pragma GCC unroll 16
      for (std::size_t k = 0; k < radix; ++k) hn::StoreU(v[k], f32, values + i + k * stride);
    }
  }
}

template <std::size_t radix, bool first>
HWY_INLINE void pass_of(std::size_t wanted, float* values, std::size_t size, std::size_t stride) {
  if (wanted >= radix) return pass<radix, first>(values, size, stride);
  if constexpr (radix > 1) pass_of<radix / 2, first>(wanted, values, size, stride);
}

void Hadamard(float* values, std::size_t size) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t stride = lanes;
  const auto radix = [&] { return std::min(radix_max, size / stride); };
  const std::size_t first = radix();
  pass_of<radix_max, true>(first, values, size, stride);
  stride *= first;
  while (stride < size) {
    const std::size_t next = radix();
    pass_of<radix_max, false>(next, values, size, stride);
    stride *= next;
  }
}

// The signs of the values `at` to `at` + lanes - 1 of a group of 64, in the top bit of each lane. `bits` holds the
// group's signs.
HWY_INLINE auto signs_at(std::uint64_t bits, std::size_t at) {
  const Words u32;
  const auto half = hn::Set(u32, static_cast<std::uint32_t>(at < 32 ? bits : bits >> 32));
  // Lane k shifts bit at % 32 + k to the top.
  const auto shift = hn::Sub(hn::Set(u32, static_cast<std::uint32_t>(31 - at % 32)), hn::Iota(u32, 0));
  return hn::BitCast(Floats(), hn::And(hn::Shl(half, shift), hn::Set(u32, 0x80000000U)));
}

// count is a multiple of 64.
void FlipSigns(const float* values, std::size_t count, std::uint64_t seed, float limit, float* out) {
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f32);
  const auto most = hn::Set(f32, limit), least = hn::Set(f32, -limit);
  for (std::size_t at = 0; at < count; at += 64) {
    const std::uint64_t bits = sign_bits(seed, at / 64);
    for (std::size_t i = 0; i < 64; i += lanes) {
      const auto flipped = hn::Xor(hn::LoadU(f32, values + at + i), signs_at(bits, i));
      hn::StoreU(hn::Max(hn::Min(flipped, most), least), f32, out + at + i);
    }
  }
}

}  // namespace hansa::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hansa::kernels {

HWY_EXPORT(Hadamard);
HWY_EXPORT(FlipSigns);

void hadamard(std::span<float> values) {
  assert(std::has_single_bit(values.size()) && values.size() >= hadamard_values_min);
  HWY_DYNAMIC_DISPATCH(Hadamard)(values.data(), values.size());
}
void hadamard_reference(std::span<float> values) {
  for (std::size_t stride = 1; stride < values.size(); stride *= 2)
    for (std::size_t block = 0; block < values.size(); block += 2 * stride)
      for (std::size_t i = block; i < block + stride; ++i) {
        const float a = values[i], b = values[i + stride];
        values[i] = a + b;
        values[i + stride] = a - b;
      }
}

void flip_signs(std::span<const float> values, std::uint64_t seed, float limit, std::span<float> out) {
  assert(values.size() == out.size());
  const std::size_t whole = values.size() / 64 * 64;
  HWY_DYNAMIC_DISPATCH(FlipSigns)(values.data(), whole, seed, limit, out.data());
  for (std::size_t i = whole; i < values.size(); ++i) out[i] = flipped(values[i], seed, i, limit);
}
void flip_signs_reference(std::span<const float> values, std::uint64_t seed, float limit,
                          std::span<float> out) {
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = flipped(values[i], seed, i, limit);
}

}  // namespace hansa::kernels
#endif
