// Compiled once for each instruction set: foreach_target.h includes this file again and again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/vectors.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <algorithm>
#include <array>

#include <hwy/highway.h>

#include "common/kernels/vectors.h"

#ifndef HANSA_KERNELS_VECTORS_ONCE
#define HANSA_KERNELS_VECTORS_ONCE
namespace hansa::kernels {
namespace {

constexpr std::size_t parts = 8;
inline double sum_of_parts(const double* part) {
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

}  // namespace
}  // namespace hansa::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The eight parts are one vector or several.
using Doubles = hn::CappedTag<double, parts>;
using HalfFloats = hn::Rebind<float, Doubles>;
constexpr std::size_t vectors_max = parts / (HWY_TARGET == HWY_SCALAR          ? 1
                                             : hn::MaxLanes(Doubles()) < parts ? hn::MaxLanes(Doubles())
                                                                               : parts);

template <class Term>
HWY_INLINE double sum_in_parts(std::size_t count, const Term& term) {
  const Doubles f64;
  const std::size_t lanes = hn::Lanes(f64);
  HWY_ALIGN double part[parts] = {};
  decltype(hn::Zero(f64)) sums[vectors_max];
  for (auto& sum : sums) sum = hn::Zero(f64);
  std::size_t i = 0;
  for (; i + parts <= count; i += parts)
    for (std::size_t v = 0; v < vectors_max; ++v) sums[v] = hn::Add(sums[v], term(i + v * lanes));
  for (std::size_t v = 0; v < vectors_max; ++v) hn::StoreU(sums[v], f64, part + v * lanes);
  for (; i < count; ++i) part[i % parts] += term.one(i);
  return sum_of_parts(part);
}

struct Square {
  const float* values;
  HWY_INLINE auto operator()(std::size_t i) const {
    const auto v = hn::PromoteTo(Doubles(), hn::LoadU(HalfFloats(), values + i));
    return hn::Mul(v, v);
  }
  [[nodiscard]] double one(std::size_t i) const { return static_cast<double>(values[i]) * values[i]; }
};
double SumOfSquares(const float* values, std::size_t count) { return sum_in_parts(count, Square{values}); }

struct Along {
  const float* values;
  const std::uint8_t* codes;
  std::int32_t offset;
  HWY_INLINE auto operator()(std::size_t i) const {
    const hn::Rebind<std::int32_t, Doubles> i32;
    const auto code = hn::PromoteTo(i32, hn::LoadU(hn::Rebind<std::uint8_t, Doubles>(), codes + i));
    const auto level = hn::Add(hn::Add(code, code), hn::Set(i32, offset));
    return hn::Mul(hn::PromoteTo(Doubles(), hn::LoadU(HalfFloats(), values + i)),
                   hn::PromoteTo(Doubles(), level));
  }
  [[nodiscard]] double one(std::size_t i) const {
    return static_cast<double>(values[i]) * (2 * codes[i] + offset);
  }
};
double SumAlongLevels(const float* values, const std::uint8_t* codes, std::size_t count, unsigned bits) {
  return sum_in_parts(count, Along{values, codes, 1 - (1 << bits)});
}

using Floats = hn::ScalableTag<float>;

void AddValues(float* HWY_RESTRICT out, const float* HWY_RESTRICT values, std::size_t count, float sign) {
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f32);
  const auto by = hn::Set(f32, sign);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(hn::Add(hn::LoadU(f32, out + i), hn::Mul(by, hn::LoadU(f32, values + i))), f32, out + i);
  for (; i < count; ++i) out[i] += sign * values[i];
}

void Subtract(const float* a, const float* b, std::size_t count, float* out) {
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f32);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(hn::Sub(hn::LoadU(f32, a + i), hn::LoadU(f32, b + i)), f32, out + i);
  for (; i < count; ++i) out[i] = a[i] - b[i];
}

void HoldWithin(float* values, std::size_t count, float limit) {
  const Floats f32;
  const std::size_t lanes = hn::Lanes(f32);
  const auto most = hn::Set(f32, limit), least = hn::Set(f32, -limit);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(hn::Max(hn::Min(hn::LoadU(f32, values + i), most), least), f32, values + i);
  for (; i < count; ++i) values[i] = std::clamp(values[i], -limit, limit);
}

}  // namespace hansa::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hansa::kernels {

HWY_EXPORT(SumOfSquares);
HWY_EXPORT(SumAlongLevels);
HWY_EXPORT(AddValues);
HWY_EXPORT(Subtract);
HWY_EXPORT(HoldWithin);

double sum_of_squares(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(SumOfSquares)(values.data(), values.size());
}
double sum_of_squares_reference(std::span<const float> values) {
  std::array<double, parts> part{};
  for (std::size_t i = 0; i < values.size(); ++i)
    part[i % parts] += static_cast<double>(values[i]) * values[i];
  return sum_of_parts(part.data());
}

double sum_along_levels(std::span<const float> values, std::span<const std::uint8_t> codes, unsigned bits) {
  return HWY_DYNAMIC_DISPATCH(SumAlongLevels)(values.data(), codes.data(), values.size(), bits);
}
double sum_along_levels_reference(std::span<const float> values, std::span<const std::uint8_t> codes,
                                  unsigned bits) {
  std::array<double, parts> part{};
  for (std::size_t i = 0; i < values.size(); ++i)
    part[i % parts] += static_cast<double>(values[i]) * (2 * codes[i] + 1 - (1 << bits));
  return sum_of_parts(part.data());
}

void add_values(std::span<float> out, std::span<const float> values, float sign) {
  HWY_DYNAMIC_DISPATCH(AddValues)(out.data(), values.data(), values.size(), sign);
}
void add_values_reference(std::span<float> out, std::span<const float> values, float sign) {
  for (std::size_t i = 0; i < values.size(); ++i) out[i] += sign * values[i];
}

void subtract(std::span<const float> a, std::span<const float> b, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(Subtract)(a.data(), b.data(), out.size(), out.data());
}
void subtract_reference(std::span<const float> a, std::span<const float> b, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] - b[i];
}

void hold_within(std::span<float> values, float limit) {
  HWY_DYNAMIC_DISPATCH(HoldWithin)(values.data(), values.size(), limit);
}
void hold_within_reference(std::span<float> values, float limit) {
  for (float& value : values) value = std::clamp(value, -limit, limit);
}

}  // namespace hansa::kernels
#endif
