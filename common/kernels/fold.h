// The accumulator's hot loops. Each has a scalar reference with the same result (targets.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::kernels {

// sums[i] += round_half_even(delta[i] * factor). The spans have equal sizes and do not overlap.
// factor = weight * 2^scale_bits; |delta[i] * factor| is at most 2^62 (1 + 2^-50). A call with -factor removes exactly
// what a call with factor added.
void add_scaled(std::span<std::int64_t> sums, std::span<const float> delta, double factor);
void add_scaled_reference(std::span<std::int64_t> sums, std::span<const float> delta, double factor);

// Like add_scaled if the magnitude of every value is at most limit; otherwise leaves sums unchanged. Returns the same
// as first_outside(delta, limit). It reads the values once; calling first_outside and add_scaled would read them twice.
[[nodiscard]] std::size_t add_scaled_within(std::span<std::int64_t> sums, std::span<const float> delta,
                                            double factor, float limit);
[[nodiscard]] std::size_t add_scaled_within_reference(std::span<std::int64_t> sums,
                                                      std::span<const float> delta, double factor,
                                                      float limit);

// Like add_scaled for codes of `bits` bits (levels.h): sums[i] += round_half_even(level(codes[i]) * factor), where
// level(c) = 2 c + 1 - 2^bits and factor = scale * weight * 2^scale_bits. 1 <= bits <= 8.
void add_levels(std::span<std::int64_t> sums, std::span<const std::uint8_t> codes, unsigned bits,
                double factor);
void add_levels_reference(std::span<std::int64_t> sums, std::span<const std::uint8_t> codes, unsigned bits,
                          double factor);

// The index of the first value that is not finite or whose magnitude is above limit; values.size() if there is none.
// The limit is finite and not negative.
[[nodiscard]] std::size_t first_outside(std::span<const float> values, float limit);
[[nodiscard]] std::size_t first_outside_reference(std::span<const float> values, float limit);

// out[i] = the double nearest to sums[i], divided by divisor. The spans have equal sizes; divisor > 0.
void quotients(std::span<const std::int64_t> sums, double divisor, std::span<double> out);
void quotients_reference(std::span<const std::int64_t> sums, double divisor, std::span<double> out);

// next[i] = float(model[i] + mean[i]), clamped to the finite float32 values. The spans have equal sizes; next and model
// may be the same.
void add_mean(std::span<const float> model, std::span<const double> mean, std::span<float> next);
void add_mean_reference(std::span<const float> model, std::span<const double> mean, std::span<float> next);

}  // namespace hansa::kernels
