// Converts updates to ring elements, and the sum of ring elements back to a mean.
//
// A value is multiplied by the client's weight (in weight units), divided by the scale of its segment, clipped to
// +-clip, and rounded up or down to a level of a grid, at random so that the expectation is the value. All clients have
// the same grid, so that sums of ring elements are sums of values. A client with a small weight uses few levels, but
// its rounding is unbiased too. Each segment has its own scale, because parameters of a model differ: the statistics of
// a normalisation layer may change a thousand times as much as a weight.
//
// If the setup says so, the values of a segment are rotated first, and only a fraction of them is rounded and summed.
//
// Statistics, such as the variances of a normalisation layer, are written more finely: a variance that a coarse step
// makes negative is useless, and values of one segment may differ by orders of magnitude. They are few. Each is a scalar:
// clipped to +-statistic_clip instead of +-clip, and rounded to the nearest multiple of statistic_clip / (2^39 - 1).
//
// The vector of a client contains the ring elements of the model, followed by scalars. A scalar is a whole number below
// 2^48 as digits to the base levels + 1, low digits first; sums of scalars are exact. The scalars are, in this order:
// the weight; for each of range_bins octaves the number of weighted and scaled values in it, with as many bits as the
// number of ring elements has; for each metric its sum and its count, in units of 2^-16 and offset by 2^47, and a 1 if
// the client has it; for each segment the binary logarithm of the root mean square of its weighted values, in units of
// 2^-10 and offset by 64, with 17 bits, and 1 with one bit; both are 0 if no value of the segment has changed; for each
// statistic its value, offset by 2^39, with statistic_bits bits. The clip and the scales of the next round are chosen
// from the summed octaves and logarithms (range.h), so that no single client's are seen. Statistics are not in the
// octaves.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/error.h"
#include "common/secret.h"
#include "common/training.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

inline constexpr unsigned statistic_bits = 40;
inline constexpr double statistic_clip = 256;  // in units of the scale

// A client can claim any logarithm. A scale changes by at most this many octaves from round to round.
inline constexpr double level_change_max = 4;

inline constexpr std::size_t range_bins = 40;
// Bin 0: below 2^-30; bin i: from 2^(i - 31) to below 2^(i - 30).
inline constexpr int range_exponent_min = -30;

using RangeHistogram = std::array<std::uint64_t, range_bins>;

// The number of elements of a client's vector: the ring elements of the model and all digits of all scalars.
[[nodiscard]] std::size_t vector_elements(const SumSetup& setup);

// Writes the vector of one client to `out`, which has vector_elements() elements. `weight` is the number of examples,
// below 2^48. Metrics that the setup does not name are omitted; missing ones, and those that are not finite, have the
// count 0. `seed` is the seed of the rounding: secret, and used for one update only. Fails with `data`, and leaves
// `out` unspecified, if a value is not finite, or is not after the rotation; with `usage` if the setup's clip,
// weight_unit or a scale is out of range.
[[nodiscard]] Result<void> quantise(std::span<const float> values, std::uint64_t weight,
                                    const Metrics& metrics, const SumSetup& setup, const Secret32& seed,
                                    std::span<std::uint32_t> out);

// The part of the values that quantise() omits because the setup's fraction is below 1. The client adds it to its next
// update. `out` and `values` may be the same.
void left_out(std::span<const float> values, const SumSetup& setup, std::span<float> out);

struct SummedMetric {
  Metric metric;
  // The clients that have the metric. The sum of a single one is that client's value.
  std::uint32_t reporters = 0;
};
struct SumOfClients {
  double weight = 0;
  RangeHistogram ranges{};
  std::vector<SummedMetric> metrics;
  // Of each segment: the geometric mean of the clients' root mean squares, within a factor of 2^level_change_max of the
  // setup's scale if the setup has scales; the setup's scale if no client changed the segment.
  std::vector<double> scales;
};
// Converts the unmasked sum of `clients` clients to their mean, weighted by examples. `out` has setup.parameters()
// values. Fails with `protocol` if the elements or the scalars cannot be sums of this number of clients; with `quorum`
// if the total weight is 0. The mean may hold any value: the caller bounds it, and the weight.
[[nodiscard]] Result<SumOfClients> dequantise(std::span<const std::uint32_t> sum, std::uint32_t clients,
                                              const SumSetup& setup, std::span<float> out);

}  // namespace hansa::secure_aggregation
