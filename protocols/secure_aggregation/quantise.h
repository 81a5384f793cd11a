// Updates as numbers on a ring, and sums of them back.
//
// A number is the value times the client's weight in units, in scales of its segment, clipped to +-clip, on a grid of
// so many levels over that range, rounded up or down at random so that its expectation is the value. The grid is
// the same for all clients, so that sums of numbers are sums of values; a client of a small weight has few levels, and its
// rounding is as unbiased. Segments have scales of their own because the parameters of a model do: the statistics of
// a normalisation layer may change by a thousand times as much as a weight.
//
// Where the setup says so, the values of a segment are rotated before that, and only a share of them is rounded and summed.
//
// The vector of a client has the model's numbers first, then scalars: whole numbers below 2^48, each as digits to the base
// levels + 1, low ones first, which are summed exactly. They are, in this order: the weight; for each of range_bins
// octaves, the number of weighted and scaled values in it, which has as many bits as the number of values; for each metric its sum and its count, in 2^-16 and offset by
// 2^47; for each segment the binary logarithm of the root mean square of its weighted values, in 2^-10 and offset by
// 64, which has 17 bits. Of the octaves and the logarithms the next round's clip and scales are chosen: nobody but the sum
// of all is seen.
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

inline constexpr unsigned scalar_bits = 48;
inline constexpr std::size_t range_bins = 40;
inline constexpr int range_exponent_min =
    -30;  // bin 0: below 2^-30; bin i: from 2^(i - 31), below 2^(i - 30)

using RangeHistogram = std::array<std::uint64_t, range_bins>;

// Of a setup's vectors: parameters, and all digits of all scalars.
[[nodiscard]] std::size_t vector_elements(const SumSetup& setup);

// Numbers of one client into out, of vector_elements. weight: examples, a whole number below 2^48. Metrics that the setup
// does not name are left out, those missing are of count 0. seed: of the rounding, from a source for secrets, used once.
// Values are finite.
[[nodiscard]] Result<void> quantise(std::span<const float> values, std::uint64_t weight,
                                    const Metrics& metrics, const SumSetup& setup, const Secret32& seed,
                                    std::span<std::uint32_t> out);

// Of values, what quantise leaves out where the setup's share is below 1: the client adds it to its next update. out may be
// values.
void left_out(std::span<const float> values, const SumSetup& setup, std::span<float> out);

struct SumOfClients {
  double weight = 0;
  RangeHistogram ranges{};
  Metrics metrics;
  std::vector<double> scales;  // of each segment: the geometric mean of the clients' root mean squares
};
// The unmasked sum over `clients` back: mean (weighted by examples) into out, of setup.parameters(). Fails (protocol) if the
// scalars are not those of so many clients, or all weights are 0.
[[nodiscard]] Result<SumOfClients> dequantise(std::span<const std::uint32_t> sum, std::uint32_t clients,
                                              const SumSetup& setup, std::span<float> out);

// The clip of the next round: of all quarter octaves the one with the least expected error of the mean, which is the
// clipped part of the values, and the rounding, of which clients average out a part.
[[nodiscard]] double choose_clip(const RangeHistogram& ranges, std::uint32_t clients, std::uint32_t levels);

// Clip and scales of the next round, after this one's. Where this one knew no scales its octaves say nothing of scaled
// values: then the clip is six root mean squares.
struct NextRange {
  double clip = 0;
  std::vector<double> scales;
};
[[nodiscard]] NextRange choose_range(const SumOfClients& totals, std::uint32_t clients, std::uint32_t levels,
                                     const SumSetup& setup);

// A grid of about 2^value_bits - 1 levels that makes the most of the ring's whole bits: the ring that holds the sum of so many, or the one
// a bit smaller if that costs no more than a third of the levels; and then every step for which it has room.
struct Grid {
  std::uint32_t levels = 0;
  std::uint32_t ring_bits = 0;
};
[[nodiscard]] Grid choose_grid(std::uint32_t clients, unsigned value_bits);

// When nothing is known of the values: so wide that they are hardly clipped, and so fine that the mean of ten clients is off by
// some 2^-16. Bytes of a first round are for ever a part of a short run's.
inline constexpr double first_clip = 16;
inline constexpr unsigned first_value_bits = 18;
[[nodiscard]] Quantisation first_quantisation(std::uint32_t clients, double weight_unit);
// Segments of so many values, with scales of 1; neighbours are joined where there are more than segments_max.
[[nodiscard]] std::vector<Segment> segments_of(std::span<const std::uint64_t> values);

}  // namespace hansa::secure_aggregation
