// Compiled once for each instruction set: foreach_target.h includes this file repeatedly.
#include "common/kernels/instruction_sets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/vectors.cpp"
#include <hwy/foreach_target.h>
// The headers below must follow foreach_target.h.
#include <algorithm>

#include <hwy/highway.h>

#include "common/kernels/parts.h"
#include "common/kernels/vectors.h"

#ifndef HANSA_KERNELS_VECTORS_ONCE
#define HANSA_KERNELS_VECTORS_ONCE
namespace hansa::kernels {
namespace {

// Enough independent sums that no addition waits for the previous one.
constexpr std::size_t parts = 32;

}  // namespace
}  // namespace hansa::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using HalfFloats = hn::Rebind<float, Doubles>;

double SumOfSquares(const float* values, std::size_t count) {
  const Doubles f64;
  constexpr std::size_t lanes = hn::MaxLanes(Doubles());
  HWY_ALIGN double part[parts] = {};
  decltype(hn::Zero(f64)) sums[parts / lanes];
  for (auto& sum : sums) sum = hn::Zero(f64);
  std::size_t i = 0;
  for (; i + parts <= count; i += parts) {
    for (std::size_t n = 0; n < parts / lanes; ++n) {
      const auto v = hn::PromoteTo(f64, hn::LoadU(HalfFloats(), values + i + n * lanes));
      sums[n] = hn::MulAdd(v, v, sums[n]);  // the product is exact, fused or not
    }
  }
  for (std::size_t n = 0; n < parts / lanes; ++n) hn::StoreU(sums[n], f64, part + n * lanes);
  for (; i < count; ++i) part[i % parts] += static_cast<double>(values[i]) * values[i];
  return sum_of_parts(part);
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

}  // namespace hansa::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hansa::kernels {

HWY_EXPORT(SumOfSquares);
HWY_EXPORT(AddValues);
HWY_EXPORT(Subtract);

double sum_of_squares(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(SumOfSquares)(values.data(), values.size());
}
double sum_of_squares_reference(std::span<const float> values) {
  double part[parts] = {};
  for (std::size_t i = 0; i < values.size(); ++i)
    part[i % parts] += static_cast<double>(values[i]) * values[i];
  return sum_of_parts(part);
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

}  // namespace hansa::kernels
#endif
