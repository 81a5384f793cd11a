// Compiled with -O3 -ffp-contract=off -fno-trapping-math (CMakeLists.txt): the loops below are written for
// the compiler's vectoriser, once for each instruction set.
#include "server/aggregation/internal/fold_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace hansa::server::internal {
namespace {

static_assert(std::numeric_limits<double>::is_iec559 && std::numeric_limits<float>::is_iec559);

// 1.5 * 2^52. For |y| < 2^51, y + magic lies in [2^52, 2^53), where doubles are the integers: the
// addition rounds y to an integer, half to even, and the sum's bits are bits(magic) + that integer.
constexpr double magic = 6755399441055744.0;
constexpr std::uint64_t magic_bits = std::bit_cast<std::uint64_t>(magic);
static_assert((magic_bits & 0xFFFFFFFFU) == 0);
constexpr double two_32 = 4294967296.0;

// Processors before AVX-512 convert no double to int64 in vectors, and x may be up to 2^62, so x is
// split: x = high * 2^32 + low, with high an integer, |high| <= 2^30 + 1, |low| <= 2^31. x * 2^-32 is
// exact, and so is low: it is a multiple of x's last place and no longer than x. high * 2^32 is
// even, hence round(x) = high * 2^32 + round(low), ties included. Shifting the bits of high + magic
// left by 32 leaves high * 2^32 modulo 2^64, because magic's low half is zero.
[[gnu::always_inline]] inline void add_scaled_body(std::int64_t* __restrict sums,
                                                   const float* __restrict delta, std::size_t count,
                                                   double factor) {
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(delta[i]) * factor;
    const double shifted_high = x * (1.0 / two_32) + magic;
    const double low = x - (shifted_high - magic) * two_32;
    const std::uint64_t rounded = (std::bit_cast<std::uint64_t>(shifted_high) << 32) +
                                  std::bit_cast<std::uint64_t>(low + magic) - magic_bits;
    sums[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sums[i]) + rounded);
  }
}

// Without the sign, float32 bits order like the magnitudes, and infinities and NaNs are above all.
[[gnu::always_inline]] inline bool any_outside_body(const float* values, std::size_t count, float limit) {
  const auto limit_bits = std::bit_cast<std::int32_t>(limit);
  std::int32_t outside = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t magnitude = std::bit_cast<std::int32_t>(values[i]) & 0x7FFFFFFF;
    outside |= magnitude > limit_bits ? 1 : 0;
  }
  return outside != 0;
}

// The double nearest to sum, in vectors before AVX-512 too: both halves are put under the exponent that
// makes their last place 1 and 2^32, the exponents are taken off exactly, and the one addition of the
// two rounds as a conversion does.
[[gnu::always_inline]] inline double to_double(std::int64_t sum) {
  constexpr std::uint64_t low_exponent = std::bit_cast<std::uint64_t>(0x1p52);
  constexpr std::uint64_t high_exponent = std::bit_cast<std::uint64_t>(0x1p84);
  const auto bits = static_cast<std::uint64_t>(sum);
  const double low = std::bit_cast<double>((bits & 0xFFFFFFFFU) | low_exponent) - 0x1p52;
  // The sign bit turned over adds 2^63, so that the half is not negative.
  const double high = std::bit_cast<double>(((bits >> 32) ^ 0x80000000U) | high_exponent) - (0x1p84 + 0x1p63);
  return high + low;
}

[[gnu::always_inline]] inline void add_quotient_body(const float* global, const std::int64_t* sums,
                                                     std::size_t count, double divisor, float* next) {
  constexpr double largest = std::numeric_limits<float>::max();
#pragma GCC ivdep  // next may be global: then each element is read before it is written
  for (std::size_t i = 0; i < count; ++i) {
    double value = static_cast<double>(global[i]) + to_double(sums[i]) / divisor;
    value = value > largest ? largest : value;
    value = value < -largest ? -largest : value;
    next[i] = static_cast<float>(value);
  }
}

void add_scaled_plain(std::int64_t* sums, const float* delta, std::size_t count, double factor) {
  add_scaled_body(sums, delta, count, factor);
}
bool any_outside_plain(const float* values, std::size_t count, float limit) {
  return any_outside_body(values, count, limit);
}
void add_quotient_plain(const float* global, const std::int64_t* sums, std::size_t count, double divisor,
                        float* next) {
  add_quotient_body(global, sums, count, divisor, next);
}

#if defined(__x86_64__)
#define HANSA_AVX2 [[gnu::target("avx2")]]
#define HANSA_AVX512 [[gnu::target("avx512f,avx512vl,avx512dq,prefer-vector-width=512")]]

HANSA_AVX2 void add_scaled_avx2(std::int64_t* sums, const float* delta, std::size_t count, double factor) {
  add_scaled_body(sums, delta, count, factor);
}
HANSA_AVX2 bool any_outside_avx2(const float* values, std::size_t count, float limit) {
  return any_outside_body(values, count, limit);
}
HANSA_AVX2 void add_quotient_avx2(const float* global, const std::int64_t* sums, std::size_t count,
                                  double divisor, float* next) {
  add_quotient_body(global, sums, count, divisor, next);
}
HANSA_AVX512 void add_scaled_avx512(std::int64_t* sums, const float* delta, std::size_t count,
                                    double factor) {
  add_scaled_body(sums, delta, count, factor);
}
HANSA_AVX512 bool any_outside_avx512(const float* values, std::size_t count, float limit) {
  return any_outside_body(values, count, limit);
}
HANSA_AVX512 void add_quotient_avx512(const float* global, const std::int64_t* sums, std::size_t count,
                                      double divisor, float* next) {
  add_quotient_body(global, sums, count, divisor, next);
}

constexpr std::array<FoldVariant, 3> variants{{
    {"plain", add_scaled_plain, any_outside_plain, add_quotient_plain},
    {"avx2", add_scaled_avx2, any_outside_avx2, add_quotient_avx2},
    {"avx512", add_scaled_avx512, any_outside_avx512, add_quotient_avx512},
}};
std::size_t usable_variants() {
  if (!__builtin_cpu_supports("avx2")) return 1;
  const bool has_512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512dq");
  return has_512 ? 3 : 2;
}
#else
constexpr std::array<FoldVariant, 1> variants{
    {{"plain", add_scaled_plain, any_outside_plain, add_quotient_plain}}};
std::size_t usable_variants() { return 1; }
#endif

}  // namespace

std::span<const FoldVariant> fold_variants() { return std::span(variants).first(usable_variants()); }

void add_scaled(std::span<std::int64_t> sums, std::span<const float> delta, double factor) {
  fold_variants().back().add_scaled(sums.data(), delta.data(), std::min(sums.size(), delta.size()), factor);
}

void add_scaled_reference(std::span<std::int64_t> sums, std::span<const float> delta, double factor) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    sums[i] += std::llrint(static_cast<double>(delta[i]) * factor);
}

std::size_t first_outside(std::span<const float> values, float limit) {
  constexpr std::size_t block = 4096;
  const auto any_outside = fold_variants().back().any_outside;
  for (std::size_t first = 0; first < values.size(); first += block) {
    const auto part = values.subspan(first, std::min(block, values.size() - first));
    if (any_outside(part.data(), part.size(), limit)) return first + first_outside_reference(part, limit);
  }
  return values.size();
}

std::size_t first_outside_reference(std::span<const float> values, float limit) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(std::fabs(values[i]) <= limit)) return i;  // a NaN compares false
  return values.size();
}

void add_quotient(std::span<const float> global, std::span<const std::int64_t> sums, double divisor,
                  std::span<float> next) {
  fold_variants().back().add_quotient(global.data(), sums.data(), next.size(), divisor, next.data());
}

void add_quotient_reference(std::span<const float> global, std::span<const std::int64_t> sums, double divisor,
                            std::span<float> next) {
  constexpr double largest = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < next.size(); ++i) {
    const double value = static_cast<double>(global[i]) + static_cast<double>(sums[i]) / divisor;
    next[i] = static_cast<float>(std::clamp(value, -largest, largest));
  }
}

}  // namespace hansa::server::internal
