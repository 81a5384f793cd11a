#include "protocols/secure_aggregation/quantise.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>

#include "common/kernels/levels.h"
#include "protocols/codecs/plan.h"
#include "protocols/secure_aggregation/internal/scalars.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/number_limits.h"

namespace hansa::secure_aggregation {
namespace {

using internal::digits;
using internal::scalar_bits;
using internal::ScalarReader;
using internal::ScalarWriter;

constexpr std::uint64_t scalar_end = std::uint64_t{1} << scalar_bits;
constexpr double metric_unit = 1.0 / 65536;
constexpr double metric_offset = static_cast<double>(scalar_end / 2);

constexpr unsigned level_bits = 17;
constexpr std::uint64_t level_most = (1U << level_bits) - 1;
constexpr double level_unit = 1.0 / 1024, level_offset = 64;

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

// A statistic as a scalar, and back. Zero is exact. The most is at least 1 below 2^statistic_bits.
constexpr double statistic_steps = static_cast<double>((std::uint64_t{1} << (statistic_bits - 1)) - 1);
constexpr double statistic_offset = statistic_steps + 1;
std::uint64_t statistic_number(double scaled) {
  const double part = std::clamp(scaled / statistic_clip, -1.0, 1.0);
  return static_cast<std::uint64_t>(std::round(part * statistic_steps) + statistic_offset);
}
double statistic_mean(std::uint64_t sum, std::uint32_t clients) {
  return (static_cast<double>(sum) - statistic_offset * clients) / statistic_steps * statistic_clip;
}

tl::unexpected<Error> not_finite() {
  return fail(ErrorCode::data, "update", "has a value that is infinite or not a number",
              "lower the learning rate, and check the data for extreme values");
}

double mean_of(double sum, std::size_t count) { return count > 0 ? sum / static_cast<double>(count) : 0; }

// The ring elements of segments of parameters.
//
// In units of grid levels: value * weight / unit / scale is clipped to +-half, shifted to 0 .. 2 * half, and rounded
// down after a random number in [0, 1) was added. The result is at most 2 * half, which is `levels`.
class GridWriter {
 public:
  GridWriter(const SumSetup& setup, double weighted, MaskStream random, std::span<std::uint32_t> out)
      : quantisation_(setup.quantisation),
        transform_(setup.transform()),
        weighted_(weighted),
        random_(std::move(random)),
        out_(out) {}
  GridWriter(const GridWriter&) = delete;
  GridWriter& operator=(const GridWriter&) = delete;
  ~GridWriter() { wipe({reinterpret_cast<std::uint8_t*>(words_.data()), sizeof words_}); }

  // Returns the mean square of the (rotated) values.
  [[nodiscard]] Result<double> write(std::size_t index, const Segment& segment,
                                     std::span<const float> values) {
    const double scaled = weighted_ / segment.scale;
    double squares = 0;
    const std::size_t first = at_;
    for (const auto& piece : transform_.blocks(segment.values)) {
      const auto given = values.subspan(piece.first_value, piece.values);
      const auto rotated = std::span(coefficients_).first(piece.coefficients);
      transform_.forward(index, piece, given, rotated);
      if (!all_finite(given) || !all_finite(rotated)) return not_finite();
      HANSA_TRY(const double of_piece, round(rotated, scaled));
      squares += of_piece;
    }
    return mean_of(squares, at_ - first);
  }

  [[nodiscard]] std::size_t written() const { return at_; }
  [[nodiscard]] const RangeHistogram& ranges() const { return ranges_; }

 private:
  // Returns the sum of the squares.
  [[nodiscard]] Result<double> round(std::span<const float> values, double scaled) {
    constexpr double unit = 1.0 / 4294967296.0;
    const double half = static_cast<double>(quantisation_.levels) / 2;
    const double grid = scaled * quantisation_.levels / (2 * quantisation_.clip);
    double squares = 0;
    for (std::size_t done = 0; done < values.size();) {
      if (words_at_ == words_.size()) {
        words_.fill(0);
        HANSA_TRY_VOID(random_.apply(words_, at_, MaskSign::add));
        words_at_ = 0;
      }
      const std::size_t count = std::min(words_.size() - words_at_, values.size() - done);
      const float* from = values.data() + done;
      std::uint32_t* to = out_.data() + at_;
      const std::uint32_t* random = words_.data() + words_at_;
      for (std::size_t i = 0; i < count; ++i) {
        const double value = from[i];
        const double level = std::clamp(value * grid, -half, half) + half;
        to[i] = static_cast<std::uint32_t>(level + static_cast<double>(random[i]) * unit);
        squares += value * value;
      }
      for (std::size_t i = 0; i < count; ++i)
        ++ranges_[bin_of(std::fabs(static_cast<double>(from[i])) * scaled)];
      at_ += count;
      words_at_ += count;
      done += count;
    }
    return squares;
  }

  const Quantisation& quantisation_;
  const codecs::SharedTransform transform_;
  const double weighted_;  // the client's weight in units of weight_unit
  MaskStream random_;
  std::array<std::uint32_t, 2048> words_{};
  std::size_t words_at_ = 2048;  // the next of them
  std::array<float, codecs::Plan::block_values> coefficients_{};
  std::span<std::uint32_t> out_;
  std::size_t at_ = 0;  // the next of out_
  RangeHistogram ranges_{};
};

// Appends the scalars of a segment of statistics. Returns the mean square of the values.
Result<double> append_statistics(const Segment& segment, std::span<const float> values, double weighted,
                                 std::vector<std::uint64_t>& out) {
  if (!all_finite(values)) return not_finite();
  double squares = 0;
  for (const float value : values) {
    out.push_back(statistic_number(value * weighted / segment.scale));
    squares += static_cast<double>(value) * value;
  }
  return mean_of(squares, values.size());
}

}  // namespace

std::size_t vector_elements(const SumSetup& setup) {
  const std::uint32_t levels = setup.quantisation.levels;
  const std::uint64_t elements = setup.ring_elements();
  return elements + (1 + 2 * setup.metrics.size()) * digits(scalar_bits, levels) + setup.metrics.size() +
         range_bins * digits(range_bits(elements), levels) +
         setup.segments.size() * (digits(level_bits, levels) + 1) +
         setup.statistics() * digits(statistic_bits, levels);
}

Result<void> quantise(std::span<const float> values, std::uint64_t weight, const Metrics& metrics,
                      const SumSetup& setup, const Secret32& seed, std::span<std::uint32_t> out) {
  const Quantisation& q = setup.quantisation;
  assert(values.size() == setup.parameters() && out.size() == vector_elements(setup));
  if (weight >= scalar_end) return fail(ErrorCode::data, "update", "has more examples than can be counted");
  HANSA_TRY_VOID(check_numbers(setup));
  HANSA_TRY(MaskStream random, MaskStream::create(seed, ring_bits_max));

  const double weighted = static_cast<double>(weight) / q.weight_unit;
  GridWriter grid(setup, weighted, std::move(random), out);
  std::vector<std::uint64_t> statistics;
  statistics.reserve(setup.statistics());
  std::vector<Level> levels;
  const bool is_scaled = setup.has_scales();
  for (std::size_t s = 0; s < setup.segments.size(); ++s) {
    const Segment& segment = setup.segments[s];
    const auto own = values.first(segment.values);
    values = values.subspan(segment.values);
    HANSA_TRY(const double mean, segment.kind == SegmentKind::statistics
                                     ? append_statistics(segment, own, weighted, statistics)
                                     : grid.write(s, segment, own));
    levels.push_back(level_of(mean * weighted * weighted, segment.scale, is_scaled));
  }

  const std::size_t elements = grid.written();
  ScalarWriter scalar{q.levels, out.subspan(elements)};
  scalar(weight);
  for (const std::uint64_t count : grid.ranges()) scalar(count, range_bits(elements));
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
  for (const std::uint64_t number : statistics) scalar(number, statistic_bits);
  return {};
}

namespace {

tl::unexpected<Error> no_sum(std::uint32_t clients) {
  return fail(ErrorCode::protocol, "secure sum", "is not the sum of " + std::to_string(clients) + " updates");
}

// Reads the logarithms of a segment.
Result<double> next_scale(ScalarReader& scalar, const Segment& segment, std::uint32_t clients,
                          bool is_scaled) {
  const std::uint64_t number = scalar(level_bits), with_change = scalar(1);
  if (number > level_most * with_change || with_change > clients) return no_sum(clients);
  if (with_change == 0) return segment.scale;
  const double level =
      static_cast<double>(number) / static_cast<double>(with_change) * level_unit - level_offset;
  return std::exp2(is_scaled ? limited(level, segment.scale) : level);
}

}  // namespace

Result<SumOfClients> dequantise(std::span<const std::uint32_t> sum, std::uint32_t clients,
                                const SumSetup& setup, std::span<float> out) {
  const Quantisation& q = setup.quantisation;
  const std::uint64_t elements = setup.ring_elements();
  assert(sum.size() == vector_elements(setup) && out.size() == setup.parameters());
  if (std::ranges::max(sum) > std::uint64_t{q.levels} * clients) return no_sum(clients);
  SumOfClients totals;
  ScalarReader scalar{q.levels, sum.subspan(elements)};
  totals.weight = static_cast<double>(scalar());
  std::uint64_t counted = 0;
  for (std::uint64_t& bin : totals.ranges) counted += bin = scalar(range_bits(elements));
  if (counted != elements * clients) return no_sum(clients);
  if (!(totals.weight > 0)) return fail(ErrorCode::quorum, "secure sum", "has no weight");
  for (const std::string& name : setup.metrics) {
    const auto number = [&] {
      return (static_cast<double>(scalar()) - metric_offset * clients) * metric_unit;
    };
    const double total = number(), count = number();
    const std::uint64_t reporters = scalar(1);
    if (reporters > clients) return no_sum(clients);
    if (count > 0) totals.metrics.push_back({{name, total, count}, static_cast<std::uint32_t>(reporters)});
  }
  const double spacing = 2 * q.clip / q.levels, offset = q.clip * clients;
  const codecs::SharedTransform transform = setup.transform();
  std::array<float, codecs::Plan::block_values> means{};
  std::size_t at = 0;
  std::uint64_t first_value = 0;
  for (std::size_t s = 0; s < setup.segments.size(); ++s) {
    const Segment& segment = setup.segments[s];
    HANSA_TRY(const double scale, next_scale(scalar, segment, clients, setup.has_scales()));
    totals.scales.push_back(scale);
    const std::uint64_t first = std::exchange(first_value, first_value + segment.values);
    if (segment.kind == SegmentKind::statistics) continue;
    const double unit = segment.scale * q.weight_unit / totals.weight;
    for (const auto& piece : transform.blocks(segment.values)) {
      for (std::size_t i = 0; i < piece.coefficients; ++i)
        means[i] = static_cast<float>((static_cast<double>(sum[at + i]) * spacing - offset) * unit);
      transform.inverse(s, piece, std::span(means).first(piece.coefficients),
                        out.subspan(first + piece.first_value, piece.values));
      at += piece.coefficients;
    }
  }
  for (const Segment& segment : setup.segments) {
    const auto own = out.first(segment.values);
    out = out.subspan(segment.values);
    if (segment.kind != SegmentKind::statistics) continue;
    const double unit = segment.scale * q.weight_unit / totals.weight;
    for (float& value : own) {
      const std::uint64_t number = scalar(statistic_bits);
      if (number > clients * static_cast<std::uint64_t>(statistic_offset + statistic_steps))
        return no_sum(clients);
      value = static_cast<float>(statistic_mean(number, clients) * unit);
    }
  }
  return totals;
}

void left_out(std::span<const float> values, const SumSetup& setup, std::span<float> out) {
  const codecs::SharedTransform transform = setup.transform();
  std::array<float, codecs::Plan::block_values> coefficients{}, kept{};
  std::uint64_t first_value = 0;
  for (std::size_t s = 0; s < setup.segments.size(); ++s) {
    if (setup.segments[s].kind == SegmentKind::statistics) {
      std::ranges::fill(out.subspan(first_value, setup.segments[s].values), 0.0F);
      first_value += setup.segments[s].values;
      continue;
    }
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

}  // namespace hansa::secure_aggregation
