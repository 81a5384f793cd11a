// Compiled once for each instruction set: foreach_target.h includes this file repeatedly.
#include "common/kernels/instruction_sets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/fold.cpp"
#include <hwy/foreach_target.h>
// The headers below must follow foreach_target.h.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <hwy/highway.h>

#include "common/kernels/fold.h"

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Words = hn::Repartition<std::uint64_t, Doubles>;
using Integers = hn::Repartition<std::int64_t, Doubles>;
using Floats = hn::Rebind<float, Doubles>;  // the same number of lanes, at half the size

// 1.5 * 2^52. For |y| < 2^51, y + magic is in [2^52, 2^53), where the doubles are exactly the integers. So the addition
// rounds y to an integer, half to even, and the bits of the sum are bits(magic) + that integer.
constexpr double magic = 6755399441055744.0;
constexpr std::uint64_t magic_bits = std::bit_cast<std::uint64_t>(magic);
constexpr double small_limit = 2251799813685248.0;  // 2^51
constexpr double two_32 = 4294967296.0;

// Requires |x| < 2^51.
template <class V>
HWY_INLINE hn::Vec<Words> round_small(V x) {
  const Words u64;
  const Doubles f64;
  return hn::Sub(hn::BitCast(u64, hn::Add(x, hn::Set(f64, magic))), hn::Set(u64, magic_bits));
}

// Requires |x| <= 2^62 (1 + 2^-50). Most processors have no vector instruction that converts double to int64, so x is
// split: x = high * 2^32 + low, where high is an integer, |high| <= 2^30 + 1 and |low| <= 2^31. x * 2^-32 is exact. low
// is exact too: it is a multiple of x's unit in the last place and not larger than x. high * 2^32 is even, hence
// round(x) = high * 2^32 + round(low), ties included. Shifting the bits of high + magic left by 32 gives high * 2^32
// modulo 2^64, because the low half of magic is zero.
template <class V>
HWY_INLINE hn::Vec<Words> round_any(V x) {
  const Words u64;
  const Doubles f64;
  const auto shift = hn::Set(f64, magic);
  const auto shifted_high = hn::Add(hn::Mul(x, hn::Set(f64, 1.0 / two_32)), shift);
  const auto low = hn::Sub(x, hn::Mul(hn::Sub(shifted_high, shift), hn::Set(f64, two_32)));
  return hn::Add(hn::ShiftLeft<32>(hn::BitCast(u64, shifted_high)), round_small(low));
}

template <class V>
HWY_INLINE void add_to(std::int64_t* sums, V rounded) {
  const Words u64;
  auto* words = reinterpret_cast<std::uint64_t*>(sums);
  hn::StoreU(hn::Add(hn::LoadU(u64, words), rounded), u64, words);
}

// The bits of a float without its sign. They compare like the magnitudes; those of infinities and NaNs are the largest.
HWY_INLINE std::int32_t magnitude_bits(float value) {
  return std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF;
}

HWY_INLINE std::int32_t largest_magnitude_bits(const float* values, std::size_t count) {
  const hn::ScalableTag<std::int32_t> i32;
  const std::size_t lanes = hn::Lanes(i32);
  const auto* bits = reinterpret_cast<const std::int32_t*>(values);
  const auto magnitude = hn::Set(i32, 0x7FFFFFFF);
  auto largest = hn::Zero(i32);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    largest = hn::Max(largest, hn::And(hn::LoadU(i32, bits + i), magnitude));
  std::int32_t most = hn::GetLane(hn::MaxOfLanes(i32, largest));
  for (; i < count; ++i) most = std::max(most, magnitude_bits(values[i]));
  return most;
}

bool AnyOutside(const float* values, std::size_t count, float limit) {
  return largest_magnitude_bits(values, count) > magnitude_bits(limit);
}

template <bool small>
HWY_INLINE void add_scaled_block(std::int64_t* HWY_RESTRICT sums, const float* HWY_RESTRICT delta,
                                 std::size_t count, double factor) {
  const Doubles f64;
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f64);
  const auto by = hn::Set(f64, factor);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto x = hn::Mul(hn::PromoteTo(f64, hn::LoadU(f32, delta + i)), by);
    if constexpr (small) add_to(sums + i, round_small(x));
    else add_to(sums + i, round_any(x));
  }
  for (; i < count; ++i) sums[i] += std::llrint(static_cast<double>(delta[i]) * factor);
}

// Adds block by block until a block contains a value whose magnitude_bits are above limit_bits. Returns the start of
// that block, or count.
std::size_t AddScaled(std::int64_t* sums, const float* delta, std::size_t count, double factor,
                      std::int32_t limit_bits) {
  // The values of most updates are small, and small values are rounded with half of the work. The check costs little:
  // it brings the block into the cache, from which it is then added.
  constexpr std::size_t block = 2048;
  const double limit = small_limit / 2 / std::fabs(factor);
  const std::int32_t small = magnitude_bits(limit < 3e38 ? static_cast<float>(limit) : 3e38F);
  for (std::size_t at = 0; at < count; at += block) {
    const std::size_t n = std::min(block, count - at);
    const std::int32_t largest = largest_magnitude_bits(delta + at, n);
    if (largest > limit_bits) return at;
    if (largest > small) add_scaled_block<false>(sums + at, delta + at, n, factor);
    else add_scaled_block<true>(sums + at, delta + at, n, factor);
  }
  return count;
}

template <bool small>
HWY_INLINE void add_levels_block(std::int64_t* HWY_RESTRICT sums, const std::uint8_t* HWY_RESTRICT codes,
                                 std::size_t count, unsigned bits, double factor) {
  const Doubles f64;
  const hn::Rebind<std::int32_t, Doubles> i32;
  const hn::Rebind<std::uint8_t, Doubles> u8;
  const std::size_t lanes = hn::Lanes(f64);
  // The level 2 c + 1 - 2^bits is exact in int32 and in double.
  const std::int32_t offset = 1 - (1 << bits);
  const auto shift = hn::Set(i32, offset);
  const auto by = hn::Set(f64, factor);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = hn::PromoteTo(i32, hn::LoadU(u8, codes + i));
    const auto level = hn::Add(hn::Add(code, code), shift);
    const auto x = hn::Mul(hn::PromoteTo(f64, level), by);
    if constexpr (small) add_to(sums + i, round_small(x));
    else add_to(sums + i, round_any(x));
  }
  for (; i < count; ++i) sums[i] += std::llrint((2 * codes[i] + offset) * factor);
}

void AddLevels(std::int64_t* sums, const std::uint8_t* codes, std::size_t count, unsigned bits,
               double factor) {
  if (std::fabs(factor) * 256 < small_limit) add_levels_block<true>(sums, codes, count, bits, factor);
  else add_levels_block<false>(sums, codes, count, bits, factor);
}

// The double nearest to sum. Each 32-bit half is placed in the significand of a double whose unit in the last place is
// 1 (low half) or 2^32 (high half). Subtracting the constants 2^52 and 2^84 is exact, so that only the final addition
// rounds, as a conversion would.
template <class V>
HWY_INLINE hn::Vec<Doubles> to_double(V sum) {
  const Words u64;
  const Doubles f64;
  constexpr std::uint64_t low_exponent = std::bit_cast<std::uint64_t>(0x1p52);
  constexpr std::uint64_t high_exponent = std::bit_cast<std::uint64_t>(0x1p84);
  const auto low =
      hn::Sub(hn::BitCast(f64, hn::Or(hn::And(sum, hn::Set(u64, 0xFFFFFFFFU)), hn::Set(u64, low_exponent))),
              hn::Set(f64, 0x1p52));
  // Flipping the sign bit adds 2^63, so that the high half is not negative.
  const auto high =
      hn::Sub(hn::BitCast(f64, hn::Xor(hn::ShiftRight<32>(sum), hn::Set(u64, high_exponent | 0x80000000U))),
              hn::Set(f64, 0x1p84 + 0x1p63));
  return hn::Add(high, low);
}

void Quotients(const std::int64_t* sums, std::size_t count, double divisor, double* out) {
  const Doubles f64;
  const Words u64;
  const std::size_t lanes = hn::Lanes(f64);
  const auto by = hn::Set(f64, divisor);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto sum = hn::LoadU(u64, reinterpret_cast<const std::uint64_t*>(sums) + i);
    hn::StoreU(hn::Div(to_double(sum), by), f64, out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<double>(sums[i]) / divisor;
}

void AddMean(const float* model, const double* mean, std::size_t count, float* next) {
  const Doubles f64;
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f64);
  constexpr double largest = std::numeric_limits<float>::max();
  const auto most = hn::Set(f64, largest), least = hn::Set(f64, -largest);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::Add(hn::PromoteTo(f64, hn::LoadU(f32, model + i)), hn::LoadU(f64, mean + i));
    hn::StoreU(hn::DemoteTo(f32, hn::Max(hn::Min(value, most), least)), f32, next + i);
  }
  for (; i < count; ++i)
    next[i] = static_cast<float>(std::clamp(static_cast<double>(model[i]) + mean[i], -largest, largest));
}

}  // namespace hansa::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hansa::kernels {

HWY_EXPORT(AddScaled);
HWY_EXPORT(AddLevels);
HWY_EXPORT(AnyOutside);
HWY_EXPORT(Quotients);
HWY_EXPORT(AddMean);

static_assert(std::numeric_limits<double>::is_iec559 && std::numeric_limits<float>::is_iec559);

void add_scaled(std::span<std::int64_t> sums, std::span<const float> delta, double factor) {
  constexpr std::int32_t none = 0x7FFFFFFF;
  static_cast<void>(HWY_DYNAMIC_DISPATCH(AddScaled)(sums.data(), delta.data(),
                                                    std::min(sums.size(), delta.size()), factor, none));
}

std::size_t add_scaled_within(std::span<std::int64_t> sums, std::span<const float> delta, double factor,
                              float limit) {
  const std::size_t count = std::min(sums.size(), delta.size());
  const std::size_t added = HWY_DYNAMIC_DISPATCH(AddScaled)(sums.data(), delta.data(), count, factor,
                                                            std::bit_cast<std::int32_t>(limit));
  if (added == count) return delta.size();
  add_scaled(sums.first(added), delta.first(added), -factor);
  return added + first_outside_reference(delta.subspan(added), limit);
}

std::size_t add_scaled_within_reference(std::span<std::int64_t> sums, std::span<const float> delta,
                                        double factor, float limit) {
  const std::size_t outside = first_outside_reference(delta, limit);
  if (outside == delta.size()) add_scaled_reference(sums, delta, factor);
  return outside;
}

void add_scaled_reference(std::span<std::int64_t> sums, std::span<const float> delta, double factor) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    sums[i] += std::llrint(static_cast<double>(delta[i]) * factor);
}

void add_levels(std::span<std::int64_t> sums, std::span<const std::uint8_t> codes, unsigned bits,
                double factor) {
  HWY_DYNAMIC_DISPATCH(AddLevels)
  (sums.data(), codes.data(), std::min(sums.size(), codes.size()), bits, factor);
}

void add_levels_reference(std::span<std::int64_t> sums, std::span<const std::uint8_t> codes, unsigned bits,
                          double factor) {
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const int level = 2 * codes[i] + 1 - (1 << bits);
    sums[i] += std::llrint(static_cast<double>(level) * factor);
  }
}

std::size_t first_outside(std::span<const float> values, float limit) {
  constexpr std::size_t block = 4096;
  for (std::size_t first = 0; first < values.size(); first += block) {
    const auto part = values.subspan(first, std::min(block, values.size() - first));
    if (HWY_DYNAMIC_DISPATCH(AnyOutside)(part.data(), part.size(), limit))
      return first + first_outside_reference(part, limit);
  }
  return values.size();
}

std::size_t first_outside_reference(std::span<const float> values, float limit) {
  // A NaN compares false.
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(std::fabs(values[i]) <= limit)) return i;
  return values.size();
}

void quotients(std::span<const std::int64_t> sums, double divisor, std::span<double> out) {
  HWY_DYNAMIC_DISPATCH(Quotients)(sums.data(), std::min(sums.size(), out.size()), divisor, out.data());
}

void quotients_reference(std::span<const std::int64_t> sums, double divisor, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(sums[i]) / divisor;
}

void add_mean(std::span<const float> model, std::span<const double> mean, std::span<float> next) {
  HWY_DYNAMIC_DISPATCH(AddMean)(model.data(), mean.data(), std::min(mean.size(), next.size()), next.data());
}

void add_mean_reference(std::span<const float> model, std::span<const double> mean, std::span<float> next) {
  constexpr double largest = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < next.size(); ++i)
    next[i] = static_cast<float>(std::clamp(static_cast<double>(model[i]) + mean[i], -largest, largest));
}

}  // namespace hansa::kernels
#endif
