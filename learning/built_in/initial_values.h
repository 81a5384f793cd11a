// Initial values of built-in models: a seed gives the same bits on every machine.
//
// All operations on the drawn numbers are comparisons, or single roundings of IEEE 754. log() and exp() are avoided,
// because their last bit differs between C libraries.
#pragma once
#include <cstdint>
#include <span>

#include "common/random.h"

namespace hansa::learning::built_in {

enum class Distribution : std::uint8_t { constant, uniform, normal };

struct Initial {
  Distribution distribution = Distribution::constant;
  double scale = 0;  // the constant; the bound of U(-bound, bound); the standard deviation
};

[[nodiscard]] constexpr Initial constant(double value) { return {Distribution::constant, value}; }
[[nodiscard]] constexpr Initial uniform(double bound) { return {Distribution::uniform, bound}; }
// With mean 0.
[[nodiscard]] constexpr Initial normal(double deviation) { return {Distribution::normal, deviation}; }
// kaiming_normal for layers with ReLU (He et al. 2015): variance 2 / fan.
[[nodiscard]] Initial kaiming_normal(std::int64_t fan);

// A constant draws nothing.
void draw(const Initial& initial, std::span<float> values, Random& random);

}  // namespace hansa::learning::built_in
