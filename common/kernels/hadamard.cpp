// Compiled once for each instruction set: foreach_target.h includes this file again and again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/hadamard.cpp"
#include <hwy/foreach_target.h>
// After it.
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

// Signs 64 n to 64 n + 63.
inline std::uint64_t sign_bits(std::uint64_t seed, std::size_t n) { return splitmix64(seed, n); }
inline float flipped(float value, bool flip) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (flip ? 0x80000000U : 0U));
}

}  // namespace
}  // namespace hansa::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that the smallest block is a vector at least.
using Floats = hn::CappedTag<float, 16>;
using Words = hn::Repartition<std::uint32_t, Floats>;

// Every value becomes the sum or the difference of itself and the one `stride` away, in the order of the scalar twin:
// a - b is b taken with its sign turned and added to a.
template <std::size_t stride, class V>
HWY_INLINE V butterfly_within(V v) {
  const Floats f32;
  const Words u32;
  const auto lane = hn::Iota(u32, 0);
  const hn::Repartition<std::int32_t, Floats> i32;
  const auto other =
      hn::TableLookupLanes(v, hn::IndicesFromVec(f32, hn::BitCast(i32, hn::Xor(lane, hn::Set(u32, stride)))));
  // The sign bit where the lane is the second of its pair.
  constexpr int shift = 31 - std::countr_zero(stride);
  const auto sign = hn::ShiftLeft<shift>(hn::And(lane, hn::Set(u32, stride)));
  return hn::Add(other, hn::Xor(v, hn::BitCast(f32, sign)));
}

void Hadamard(float* values, std::size_t size) {
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f32);
  for (std::size_t i = 0; i < size; i += lanes) {
    auto v = hn::LoadU(f32, values + i);
    if (lanes > 1) v = butterfly_within<1>(v);
    if (lanes > 2) v = butterfly_within<2>(v);
    if (lanes > 4) v = butterfly_within<4>(v);
    if (lanes > 8) v = butterfly_within<8>(v);
    hn::StoreU(v, f32, values + i);
  }
  std::size_t stride = lanes;
  // Two strides at once: half of the loads and stores.
  for (; stride * 4 <= size; stride *= 4) {
    for (std::size_t block = 0; block < size; block += 4 * stride) {
      for (std::size_t i = block; i < block + stride; i += lanes) {
        const auto a = hn::LoadU(f32, values + i);
        const auto b = hn::LoadU(f32, values + i + stride);
        const auto c = hn::LoadU(f32, values + i + 2 * stride);
        const auto d = hn::LoadU(f32, values + i + 3 * stride);
        const auto ab = hn::Add(a, b), a_b = hn::Sub(a, b), cd = hn::Add(c, d), c_d = hn::Sub(c, d);
        hn::StoreU(hn::Add(ab, cd), f32, values + i);
        hn::StoreU(hn::Add(a_b, c_d), f32, values + i + stride);
        hn::StoreU(hn::Sub(ab, cd), f32, values + i + 2 * stride);
        hn::StoreU(hn::Sub(a_b, c_d), f32, values + i + 3 * stride);
      }
    }
  }
  if (stride * 2 <= size) {
    for (std::size_t i = 0; i < stride; i += lanes) {
      const auto a = hn::LoadU(f32, values + i), b = hn::LoadU(f32, values + i + stride);
      hn::StoreU(hn::Add(a, b), f32, values + i);
      hn::StoreU(hn::Sub(a, b), f32, values + i + stride);
    }
  }
}

// A multiple of 64 values.
void FlipSigns(float* values, std::size_t count, std::uint64_t seed) {
  const Words u32;
  const std::size_t lanes = hn::Lanes(u32);
  auto* words = reinterpret_cast<std::uint32_t*>(values);
  const auto top = hn::Set(u32, 0x80000000U);
  for (std::size_t at = 0; at < count; at += 64) {
    const std::uint64_t bits = sign_bits(seed, at / 64);
    for (std::size_t i = 0; i < 64; i += lanes) {
      const auto half = hn::Set(u32, static_cast<std::uint32_t>(i < 32 ? bits : bits >> 32));
      // Bit i % 32 of it comes to the top in lane 0, the next one in lane 1, and so on.
      const auto shift = hn::Sub(hn::Set(u32, static_cast<std::uint32_t>(31 - i % 32)), hn::Iota(u32, 0));
      hn::StoreU(hn::Xor(hn::LoadU(u32, words + at + i), hn::And(hn::Shl(half, shift), top)), u32,
                 words + at + i);
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

void flip_signs(std::span<float> values, std::uint64_t seed) {
  const std::size_t whole = values.size() / 64 * 64;
  HWY_DYNAMIC_DISPATCH(FlipSigns)(values.data(), whole, seed);
  for (std::size_t i = whole; i < values.size(); ++i)
    values[i] = flipped(values[i], (sign_bits(seed, i / 64) >> i % 64 & 1) != 0);
}
void flip_signs_reference(std::span<float> values, std::uint64_t seed) {
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = flipped(values[i], (sign_bits(seed, i / 64) >> i % 64 & 1) != 0);
}

}  // namespace hansa::kernels
#endif
