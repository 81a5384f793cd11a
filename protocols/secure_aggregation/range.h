// The grid of a round, and its clip and scales, which are chosen from the sums of the round before.
#pragma once
#include <cstdint>
#include <vector>

#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

// The clip of the next round: the quarter octave with the least expected error of the mean. The error consists of the
// clipped part of the values and of the rounding, which averages out over the clients.
[[nodiscard]] double choose_clip(const RangeHistogram& ranges, std::uint32_t clients, std::uint32_t levels);

// The clip and scales of the next round, from the totals of this one. If this round had no scales yet, its octaves are
// not those of scaled values; then the clip is six root mean squares. The scales follow the clients' logarithms only as
// far as the octaves of the values allow, so that a client that lies about its logarithms changes them by a limited
// factor, however many rounds it lies. The scales of statistics depend on their own logarithms alone.
struct NextRange {
  double clip = 0;
  std::vector<double> scales;
};
[[nodiscard]] NextRange choose_range(const SumOfClients& totals, std::uint32_t clients, std::uint32_t levels,
                                     const SumSetup& setup);

// A grid of about 2^value_bits - 1 levels that uses the whole ring. The ring is the smallest that holds the sum of
// `clients` clients, or has one bit less if that costs at most a third of the levels. The grid then has as many levels
// as the ring allows.
struct Grid {
  std::uint32_t levels = 0;
  std::uint32_t ring_bits = 0;
};
[[nodiscard]] Grid choose_grid(std::uint32_t clients, unsigned value_bits);

// One client of a sum can claim any octaves: the clip has bounds. Those of scales: level_change_max (quantise.h).
inline constexpr double clip_min = 0.25;  // in units of the scale; the most is first_clip

// The quantisation of the first round, when nothing is known of the values: wide enough that few are clipped, and fine
// enough that the mean of ten clients has an error of about 2^-16. It is not finer because in a short run the bytes of
// the first round count.
inline constexpr double first_clip = 16;
inline constexpr unsigned first_value_bits = 18;
[[nodiscard]] Quantisation first_quantisation(std::uint32_t clients, double weight_unit);

}  // namespace hansa::secure_aggregation
