// The accumulator's hot loops, on spans; each with a scalar twin that says the same plainly (targets.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::kernels {

// sums[i] += round_half_even(delta[i] * factor). Sizes are equal; they do not overlap. factor = weight *
// 2^scale_bits; |delta[i] * factor| is at most 2^62 (1 + 2^-50). With -factor it takes out again, to the bit, what
// factor added.
void add_scaled(std::span<std::int64_t> sums, std::span<const float> delta, double factor);
void add_scaled_reference(std::span<std::int64_t> sums, std::span<const float> delta, double factor);

// add_scaled if every value is finite and within limit (finite, not negative), and nothing at all if not. Returns what
// first_outside would. One look at the values, where first_outside and add_scaled are two.
[[nodiscard]] std::size_t add_scaled_within(std::span<std::int64_t> sums, std::span<const float> delta,
                                            double factor, float limit);
[[nodiscard]] std::size_t add_scaled_within_reference(std::span<std::int64_t> sums,
                                                      std::span<const float> delta, double factor,
                                                      float limit);

// The same for codes of `bits` bits (levels.h): sums[i] += round_half_even(level(codes[i]) * factor), with
// level(c) = 2 c + 1 - 2^bits and factor = scale * weight * 2^scale_bits. 1 <= bits <= 8.
void add_levels(std::span<std::int64_t> sums, std::span<const std::uint8_t> codes, unsigned bits,
                double factor);
void add_levels_reference(std::span<std::int64_t> sums, std::span<const std::uint8_t> codes, unsigned bits,
                          double factor);

// The index of the first value that is not finite or whose magnitude is above limit; values.size()
// if there is none. limit is finite and not negative.
[[nodiscard]] std::size_t first_outside(std::span<const float> values, float limit);
[[nodiscard]] std::size_t first_outside_reference(std::span<const float> values, float limit);

// out[i] = sums[i] / divisor: the quotient of the double nearest to sums[i]. Sizes are equal; divisor > 0.
void quotients(std::span<const std::int64_t> sums, double divisor, std::span<double> out);
void quotients_reference(std::span<const std::int64_t> sums, double divisor, std::span<double> out);

// next[i] = float(model[i] + mean[i]), held within the finite float32. Sizes are equal; next may be model.
void add_mean(std::span<const float> model, std::span<const double> mean, std::span<float> next);
void add_mean_reference(std::span<const float> model, std::span<const double> mean, std::span<float> next);

}  // namespace hansa::kernels
