#include "protocols/secure_aggregation/range.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/number_limits.h"
#include "protocols/secure_aggregation/packing.h"

namespace hansa::secure_aggregation {

double choose_clip(const RangeHistogram& ranges, std::uint32_t clients, std::uint32_t levels) {
  double values = 0;
  std::size_t highest = 0;
  for (std::size_t i = 0; i < range_bins; ++i) {
    values += static_cast<double>(ranges[i]);
    if (ranges[i] > 0) highest = i;
  }
  double best = std::ldexp(1.0, range_exponent_min), best_error = HUGE_VAL;
  for (std::size_t quarter = 0; quarter <= 4 * highest; ++quarter) {
    const double clip = std::exp2(range_exponent_min + static_cast<double>(quarter) / 4);
    double clipped = 0;
    for (std::size_t i = 1; i <= highest; ++i) {
      // The values of an octave are modelled as spread over four points, with weights that fall towards the density of
      // the next octave.
      const double low = std::ldexp(1.0, static_cast<int>(i) - 1 + range_exponent_min);
      const double next = i < highest ? static_cast<double>(ranges[i + 1]) / 2 : 0;
      const double fall =
          ranges[i] == 0 ? 1 : std::clamp(std::pow(next / static_cast<double>(ranges[i]), 0.25), 0.1, 1.0);
      const double first = static_cast<double>(ranges[i]) / (1 + fall + fall * fall + fall * fall * fall);
      double weight = first;
      for (const double point : {1.125, 1.375, 1.625, 1.875}) {
        const double beyond = std::max(0.0, low * point - clip);
        clipped += weight * beyond * beyond;
        weight *= fall;
      }
    }
    const double spacing = 2 * clip / levels;
    const double error = clipped / values + spacing * spacing / 6 / clients;
    if (error < best_error) {
      best_error = error;
      best = clip;
    }
  }
  return best;
}

namespace {

// The binary logarithm above two thirds of the weighted and scaled values that are not zero; empty: all are. A single
// client is a quarter of a sum at most, so that it moves this within the range of the others' values.
std::optional<double> octave_of_values(const RangeHistogram& ranges) {
  std::uint64_t all = 0, below = 0;
  for (std::size_t bin = 1; bin < range_bins; ++bin) all += ranges[bin];
  for (std::size_t bin = 1; bin < range_bins; ++bin) {
    below += ranges[bin];
    if (3 * below >= 2 * all && all > 0) return static_cast<double>(bin) + range_exponent_min;
  }
  return std::nullopt;
}

// Means over the segments of parameters, weighted by their ring elements. 0 if there is none.
double mean_over(const SumSetup& setup, const std::vector<double>& of_segments) {
  const codecs::SharedTransform transform = setup.transform();
  double sum = 0, elements = 0;
  for (std::size_t s = 0; s < of_segments.size(); ++s) {
    if (setup.segments[s].kind != SegmentKind::parameters) continue;
    const auto count = static_cast<double>(transform.coefficients(setup.segments[s].values));
    sum += count * of_segments[s];
    elements += count;
  }
  return elements > 0 ? sum / elements : 0;
}

// The logarithms of the next scales, moved together to where the values are. The clients' own logarithms decide how the
// scales of segments differ, within limits; a client that lies about them would otherwise lead all scales away from the
// values, a little further in each round. Statistics are fine enough without: their scales come from their own
// logarithms, which honest clients pull back to where the values are.
std::vector<double> anchored(const SumOfClients& totals, const SumSetup& setup) {
  // A root mean square is at most this many octaves below and above the octave of two thirds of the values, the more the
  // heavier the tail is.
  constexpr double below_most = 2, above_most = 4;
  constexpr double spread_most = 16;  // octaves between a segment's scale and the mean of all
  std::vector<double> out, moves;
  for (std::size_t s = 0; s < totals.scales.size(); ++s) {
    out.push_back(std::log2(totals.scales[s]));
    moves.push_back(out.back() - std::log2(setup.segments[s].scale));
  }
  const double move = mean_over(setup, moves);
  const auto octave = octave_of_values(totals.ranges);
  const double shift = octave ? std::clamp(move, *octave - below_most, *octave + above_most) - move : 0;
  const double middle = mean_over(setup, out) + shift;
  for (std::size_t s = 0; s < out.size(); ++s)
    if (setup.segments[s].kind == SegmentKind::parameters)
      out[s] = std::clamp(out[s] + shift, middle - spread_most, middle + spread_most);
  return out;
}

}  // namespace

NextRange choose_range(const SumOfClients& totals, std::uint32_t clients, std::uint32_t levels,
                       const SumSetup& setup) {
  constexpr double unknown_clip = 6;
  const std::vector<double> next = anchored(totals, setup);
  NextRange out{unknown_clip, {}};
  std::vector<double> moves;
  for (std::size_t s = 0; s < next.size(); ++s) {
    out.scales.push_back(std::clamp(std::exp2(next[s]), scale_lowest, scale_highest));
    moves.push_back(next[s] - std::log2(setup.segments[s].scale));
  }
  if (!setup.has_scales()) return out;
  // The octaves are those of values divided by the earlier scales.
  const double clip = choose_clip(totals.ranges, clients, levels) * std::exp2(-mean_over(setup, moves));
  out.clip = std::clamp(clip, clip_min, first_clip);
  return out;
}

Grid choose_grid(std::uint32_t clients, unsigned value_bits) {
  assert(clients > 0 && value_bits >= 2 && value_bits <= 24);
  const std::uint64_t wanted = (std::uint64_t{1} << value_bits) - 1;
  const auto room = [&](std::uint32_t ring) { return ((std::uint64_t{1} << ring) - 1) / clients; };
  auto ring = ring_bits(clients, static_cast<std::uint32_t>(wanted));
  if (ring > ring_bits_max || 3 * room(ring - 1) >= 2 * wanted) --ring;
  ring = std::min(ring, ring_bits_max);
  return {static_cast<std::uint32_t>(std::min<std::uint64_t>(room(ring), levels_max)), ring};
}

Quantisation first_quantisation(std::uint32_t clients, double weight_unit) {
  const Grid grid = choose_grid(clients, first_value_bits);
  Quantisation out;
  out.levels = grid.levels;
  out.ring_bits = grid.ring_bits;
  out.clip = first_clip;
  out.weight_unit = weight_unit;
  return out;
}

}  // namespace hansa::secure_aggregation
