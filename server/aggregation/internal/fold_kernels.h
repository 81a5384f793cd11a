// The accumulator's hot loops, on spans; each with a scalar twin that says the same plainly.
//
// Every variant gives the same bits: IEEE double arithmetic, rounding to nearest even (the mode
// every process starts with), no contraction, no reordering that could show.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::server::internal {

// sums[i] += round_half_even(delta[i] * factor). Sizes are equal; they do not overlap.
// factor = weight * 2^scale_bits; |delta[i] * factor| is at most 2^62 (1 + 2^-50).
void add_scaled(std::span<std::int64_t> sums, std::span<const float> delta, double factor);
void add_scaled_reference(std::span<std::int64_t> sums, std::span<const float> delta, double factor);

// The index of the first value that is not finite or whose magnitude is above limit; values.size()
// if there is none. limit is finite and not negative.
[[nodiscard]] std::size_t first_outside(std::span<const float> values, float limit);
[[nodiscard]] std::size_t first_outside_reference(std::span<const float> values, float limit);

// next[i] = float(global[i] + sums[i] / divisor), held within the finite float32.
// Sizes are equal; next may be global. divisor > 0.
void add_quotient(std::span<const float> global, std::span<const std::int64_t> sums, double divisor,
                  std::span<float> next);
void add_quotient_reference(std::span<const float> global, std::span<const std::int64_t> sums, double divisor,
                            std::span<float> next);

// What the dispatcher chooses from, for tests and benches: every variant this processor can run.
struct FoldVariant {
  const char* name;
  void (*add_scaled)(std::int64_t* sums, const float* delta, std::size_t count, double factor);
  bool (*any_outside)(const float* values, std::size_t count, float limit);
  void (*add_quotient)(const float* global, const std::int64_t* sums, std::size_t count, double divisor,
                       float* next);
};
[[nodiscard]] std::span<const FoldVariant> fold_variants();  // the last is the one used

}  // namespace hansa::server::internal
