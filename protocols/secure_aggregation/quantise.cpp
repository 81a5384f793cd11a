#include "protocols/secure_aggregation/quantise.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <optional>
#include <string>

#include "common/kernels/levels.h"
#include "protocols/codecs/plan.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/number_limits.h"
#include "protocols/secure_aggregation/packing.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::uint64_t scalar_end = std::uint64_t{1} << scalar_bits;
constexpr double metric_unit = 1.0 / 65536;
constexpr double metric_offset = static_cast<double>(scalar_end / 2);

constexpr unsigned level_bits = 17;
constexpr std::uint64_t level_most = (1U << level_bits) - 1;
constexpr double level_unit = 1.0 / 1024, level_offset = 64;

// The number of digits to the base levels + 1 of a number below 2^bits.
std::size_t digits(unsigned bits, std::uint32_t levels) {
  const std::uint64_t base = std::uint64_t{levels} + 1;
  std::size_t out = 1;
  for (std::uint64_t rest = (std::uint64_t{1} << bits) - 1; rest >= base; rest /= base) ++out;
  return out;
}
// The number of bits of a count of values in one octave.
unsigned range_bits(std::uint64_t values) { return static_cast<unsigned>(std::bit_width(values)); }

// The octave of a non-negative value.
std::size_t bin_of(double magnitude) {
  // The exponent from the bits. For zero and for values below the first octave it is smaller, and clamped.
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(magnitude) >> 52) - 1023;
  return static_cast<std::size_t>(
      std::clamp(exponent - range_exponent_min + 1, 0, static_cast<int>(range_bins) - 1));
}

std::uint64_t metric_number(double value) {
  const double number = std::round(value / metric_unit) + metric_offset;
  return static_cast<std::uint64_t>(std::clamp(number, 0.0, static_cast<double>(scalar_end - 1)));
}

// Whether no value is infinite or NaN.
bool all_finite(std::span<const float> values) { return std::isfinite(kernels::largest_magnitude(values)); }

bool has_scales(const SumSetup& setup) {
  return std::ranges::any_of(setup.segments, [](const Segment& segment) { return segment.scale != 1; });
}

// A scale changes by a limited factor from round to round, so that no client can pull it far.
double limited(double level, double scale) {
  const double last = std::log2(scale);
  return std::clamp(level, last - level_change_max, last + level_change_max);
}

// The logarithm of a segment's root mean square. A segment without any change says nothing about the scale.
struct Level {
  std::uint64_t number = 0;  // at most level_most
  std::uint64_t count = 0;  // 1, or 0 without a change
};
Level level_of(double mean_square, double scale, bool is_scaled) {
  if (!(mean_square > 1e-36)) return {};
  double level = std::log2(mean_square) / 2;
  if (is_scaled) level = limited(level, scale);
  const double number = std::round((level + level_offset) / level_unit);
  return {static_cast<std::uint64_t>(std::clamp(number, 0.0, static_cast<double>(level_most))), 1};
}

struct ScalarWriter {
  std::uint32_t levels;
  std::span<std::uint32_t> out;

  void operator()(std::uint64_t value, unsigned bits = scalar_bits) {
    const std::uint64_t base = std::uint64_t{levels} + 1;
    for (std::uint32_t& digit : out.first(digits(bits, levels))) {
      digit = static_cast<std::uint32_t>(value % base);
      value /= base;
    }
    out = out.subspan(digits(bits, levels));
  }
};

struct ScalarReader {
  std::uint32_t levels;
  std::span<const std::uint32_t> from;

  // A digit of a sum is the sum of the clients' digits and may exceed the base.
  std::uint64_t operator()(unsigned bits = scalar_bits) {
    std::uint64_t out = 0, place_value = 1;
    for (const std::uint32_t digit : from.first(digits(bits, levels))) {
      out += digit * place_value;
      place_value *= std::uint64_t{levels} + 1;
    }
    from = from.subspan(digits(bits, levels));
    return out;
  }
};

}  // namespace

std::size_t vector_elements(const SumSetup& setup) {
  const std::uint32_t levels = setup.quantisation.levels;
  const std::uint64_t elements = setup.ring_elements();
  return elements + (1 + 2 * setup.metrics.size()) * digits(scalar_bits, levels) + setup.metrics.size() +
         range_bins * digits(range_bits(elements), levels) +
         setup.segments.size() * (digits(level_bits, levels) + 1);
}

Result<void> quantise(std::span<const float> values, std::uint64_t weight, const Metrics& metrics,
                      const SumSetup& setup, const Secret32& seed, std::span<std::uint32_t> out) {
  const Quantisation& q = setup.quantisation;
  assert(values.size() == setup.parameters() && out.size() == vector_elements(setup));
  if (weight >= scalar_end) return fail(ErrorCode::data, "update", "has more examples than can be counted");
  HANSA_TRY_VOID(check_numbers(setup));
  HANSA_TRY(MaskStream random, MaskStream::create(seed, ring_bits_max));

  // In units of grid levels: value * weight / unit / scale is clipped to +-half, shifted to 0 .. 2 * half, and rounded
  // down after a random number in [0, 1) was added. The result is at most 2 * half, which is `levels`.
  const double weighted = static_cast<double>(weight) / q.weight_unit;
  const double half = static_cast<double>(q.levels) / 2;
  constexpr double unit = 1.0 / 4294967296.0;
  constexpr std::size_t block = 2048;
  std::array<std::uint32_t, block> words{};
  RangeHistogram ranges{};
  std::vector<Level> levels;
  const bool is_scaled = has_scales(setup);
  const codecs::SharedTransform transform = setup.transform();
  std::array<float, codecs::Plan::block_values> coefficients{};
  std::size_t at = 0, words_at = block;  // next index in out; in words
  std::uint64_t first_value = 0;
  for (std::size_t s = 0; s < setup.segments.size(); ++s) {
    const Segment& segment = setup.segments[s];
    const double scaled = weighted / segment.scale, grid = scaled * q.levels / (2 * q.clip);
    double squares = 0;
    const std::size_t segment_at = at;
    for (const auto& piece : transform.blocks(segment.values)) {
      const auto given = values.subspan(first_value + piece.first_value, piece.values);
      const auto rotated = std::span(coefficients).first(piece.coefficients);
      transform.forward(s, piece, given, rotated);
      if (!all_finite(given) || !all_finite(rotated))
        return fail(ErrorCode::data, "update", "has a value that is infinite or not a number",
                    "lower the learning rate, and check the data for extreme values");
      for (std::size_t done = 0; done < piece.coefficients;) {
        if (words_at == block) {
          words.fill(0);
          HANSA_TRY_VOID(random.apply(words, at, MaskSign::add));
          words_at = 0;
        }
        const std::size_t count = std::min(block - words_at, piece.coefficients - done);
        const float* from = coefficients.data() + done;
        for (std::size_t i = 0; i < count; ++i) {
          const double value = from[i];
          const double level = std::clamp(value * grid, -half, half) + half;
          out[at + i] = static_cast<std::uint32_t>(level + static_cast<double>(words[words_at + i]) * unit);
          squares += value * value;
        }
        for (std::size_t i = 0; i < count; ++i)
          ++ranges[bin_of(std::fabs(static_cast<double>(from[i])) * scaled)];
        at += count;
        words_at += count;
        done += count;
      }
    }
    first_value += segment.values;
    const double mean = at > segment_at ? squares / static_cast<double>(at - segment_at) : 0;
    levels.push_back(level_of(mean * weighted * weighted, segment.scale, is_scaled));
  }
  wipe({reinterpret_cast<std::uint8_t*>(words.data()), sizeof words});

  ScalarWriter scalar{q.levels, out.subspan(at)};
  scalar(weight);
  for (const std::uint64_t count : ranges) scalar(count, range_bits(at));
  for (const std::string& name : setup.metrics) {
    const auto metric = std::ranges::find(metrics, name, &Metric::name);
    const bool found = metric != metrics.end() && std::isfinite(metric->sum) && std::isfinite(metric->count);
    scalar(metric_number(found ? metric->sum : 0));
    scalar(metric_number(found ? metric->count : 0));
    scalar(found ? 1 : 0, 1);
  }
  for (const Level& level : levels) {
    scalar(level.number, level_bits);
    scalar(level.count, 1);
  }
  return {};
}

Result<SumOfClients> dequantise(std::span<const std::uint32_t> sum, std::uint32_t clients,
                                const SumSetup& setup, std::span<float> out) {
  const Quantisation& q = setup.quantisation;
  const std::uint64_t elements = setup.ring_elements();
  assert(sum.size() == vector_elements(setup) && out.size() == setup.parameters());
  const auto no_sum = [&] {
    return fail(ErrorCode::protocol, "secure sum",
                "is not the sum of " + std::to_string(clients) + " updates");
  };
  if (std::ranges::max(sum) > std::uint64_t{q.levels} * clients) return no_sum();
  SumOfClients totals;
  ScalarReader scalar{q.levels, sum.subspan(elements)};
  totals.weight = static_cast<double>(scalar());
  std::uint64_t counted = 0;
  for (std::uint64_t& bin : totals.ranges) counted += bin = scalar(range_bits(elements));
  if (counted != elements * clients) return no_sum();
  if (!(totals.weight > 0)) return fail(ErrorCode::quorum, "secure sum", "has no weight");
  for (const std::string& name : setup.metrics) {
    const auto number = [&] {
      return (static_cast<double>(scalar()) - metric_offset * clients) * metric_unit;
    };
    const double total = number(), count = number();
    const std::uint64_t reporters = scalar(1);
    if (reporters > clients) return no_sum();
    if (count > 0) totals.metrics.push_back({{name, total, count}, static_cast<std::uint32_t>(reporters)});
  }
  const bool is_scaled = has_scales(setup);
  const double spacing = 2 * q.clip / q.levels, offset = q.clip * clients;
  const codecs::SharedTransform transform = setup.transform();
  std::array<float, codecs::Plan::block_values> means{};
  std::size_t at = 0;
  std::uint64_t first_value = 0;
  for (std::size_t s = 0; s < setup.segments.size(); ++s) {
    const Segment& segment = setup.segments[s];
    const double unit = segment.scale * q.weight_unit / totals.weight;
    for (const auto& piece : transform.blocks(segment.values)) {
      for (std::size_t i = 0; i < piece.coefficients; ++i)
        means[i] = static_cast<float>((static_cast<double>(sum[at + i]) * spacing - offset) * unit);
      transform.inverse(s, piece, std::span(means).first(piece.coefficients),
                        out.subspan(first_value + piece.first_value, piece.values));
      at += piece.coefficients;
    }
    first_value += segment.values;
    const std::uint64_t number = scalar(level_bits), with_change = scalar(1);
    if (number > level_most * with_change || with_change > clients) return no_sum();
    if (with_change == 0) {
      totals.scales.push_back(segment.scale);
      continue;
    }
    const double level =
        static_cast<double>(number) / static_cast<double>(with_change) * level_unit - level_offset;
    totals.scales.push_back(std::exp2(is_scaled ? limited(level, segment.scale) : level));
  }
  return totals;
}

void left_out(std::span<const float> values, const SumSetup& setup, std::span<float> out) {
  const codecs::SharedTransform transform = setup.transform();
  std::array<float, codecs::Plan::block_values> coefficients{}, kept{};
  std::uint64_t first_value = 0;
  for (std::size_t s = 0; s < setup.segments.size(); ++s) {
    for (const auto& piece : transform.blocks(setup.segments[s].values)) {
      const auto from = values.subspan(first_value + piece.first_value, piece.values);
      const auto to = out.subspan(first_value + piece.first_value, piece.values);
      transform.forward(s, piece, from, std::span(coefficients).first(piece.coefficients));
      transform.inverse(s, piece, std::span(coefficients).first(piece.coefficients),
                        std::span(kept).first(piece.values));
      for (std::size_t i = 0; i < piece.values; ++i) to[i] = from[i] - kept[i];
    }
    first_value += setup.segments[s].values;
  }
}

std::vector<Segment> segments_of(std::span<const std::uint64_t> values) {
  std::vector<Segment> out;
  const std::size_t joined = (values.size() + segments_max - 1) / segments_max;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % joined == 0) out.emplace_back();
    out.back().values += values[i];
  }
  return out;
}

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

// Means over the segments, weighted by their ring elements.
double mean_over(const SumSetup& setup, const std::vector<double>& of_segments) {
  const codecs::SharedTransform transform = setup.transform();
  double sum = 0, elements = 0;
  for (std::size_t s = 0; s < of_segments.size(); ++s) {
    const auto count = static_cast<double>(transform.coefficients(setup.segments[s].values));
    sum += count * of_segments[s];
    elements += count;
  }
  return sum / elements;
}

// The logarithms of the next scales, moved together to where the values are. The clients' own logarithms decide how the
// scales of segments differ, within limits; a client that lies about them would otherwise lead all scales away from the
// values, a little further in each round.
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
  for (double& level : out) level = std::clamp(level + shift, middle - spread_most, middle + spread_most);
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
  if (!has_scales(setup)) return out;
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
