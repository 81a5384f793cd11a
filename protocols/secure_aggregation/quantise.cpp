#include "protocols/secure_aggregation/quantise.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/packing.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::uint64_t scalar_end = std::uint64_t{1} << scalar_bits;
constexpr double metric_unit = 1.0 / 65536;
constexpr double metric_offset = static_cast<double>(scalar_end / 2);

std::size_t digits(unsigned value_bits) { return (scalar_bits + value_bits - 1) / value_bits; }
std::size_t scalars(const SumSetup& setup) { return 1 + range_bins + 2 * setup.metrics.size(); }
double steps(const Quantisation& q) { return static_cast<double>((std::uint64_t{1} << q.value_bits) - 1); }

// The octave of a value that is not negative.
std::size_t bin_of(double magnitude) {
  if (!(magnitude >= std::ldexp(1.0, range_exponent_min))) return 0;
  return static_cast<std::size_t>(
      std::clamp(std::ilogb(magnitude) - range_exponent_min + 1, 1, static_cast<int>(range_bins) - 1));
}

std::uint64_t metric_number(double value) {
  const double number = std::round(value / metric_unit) + metric_offset;
  return static_cast<std::uint64_t>(std::clamp(number, 0.0, static_cast<double>(scalar_end - 1)));
}

void append_scalar(std::uint64_t value, unsigned value_bits, std::span<std::uint32_t>& out) {
  const std::uint64_t mask = (std::uint64_t{1} << value_bits) - 1;
  for (std::size_t i = 0; i < digits(value_bits); ++i, value >>= value_bits)
    out[i] = static_cast<std::uint32_t>(value & mask);
  out = out.subspan(digits(value_bits));
}

// Digits of a sum are sums of digits: larger than one digit.
std::uint64_t take_scalar(unsigned value_bits, std::span<const std::uint32_t>& from) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < digits(value_bits); ++i) out += std::uint64_t{from[i]} << (i * value_bits);
  from = from.subspan(digits(value_bits));
  return out;
}

}  // namespace

std::size_t vector_elements(const SumSetup& setup) {
  return setup.parameters + scalars(setup) * digits(setup.quantisation.value_bits);
}

Result<void> quantise(std::span<const float> values, std::uint64_t weight, const Metrics& metrics,
                      const SumSetup& setup, const Secret32& seed, std::span<std::uint32_t> out) {
  const Quantisation& q = setup.quantisation;
  assert(values.size() == setup.parameters && out.size() == vector_elements(setup));
  if (weight >= scalar_end) return fail(ErrorCode::data, "update", "is of more examples than can be counted");
  HANSA_TRY(MaskStream random, MaskStream::create(seed, ring_bits_max));

  // In grid steps: value * weight / unit is clipped to +-half, moved to 0 .. 2 * half, and has a random part of a step
  // added before it is cut down. 2 * half + that part is below 2 * half + 1: the largest number is 2^value_bits - 1.
  const double scale = static_cast<double>(weight) / q.weight_unit * steps(q) / (2 * q.clip);
  const double half = steps(q) / 2;
  constexpr double unit = 1.0 / 4294967296.0;
  constexpr std::size_t block = 2048;
  std::array<std::uint32_t, block> words{};
  for (std::size_t first = 0; first < values.size(); first += block) {
    const std::size_t count = std::min(block, values.size() - first);
    words.fill(0);
    HANSA_TRY_VOID(random.apply(std::span(words).first(count), first, MaskSign::add));
    for (std::size_t i = 0; i < count; ++i) {
      const double step = std::clamp(static_cast<double>(values[first + i]) * scale, -half, half) + half;
      out[first + i] = static_cast<std::uint32_t>(step + static_cast<double>(words[i]) * unit);
    }
  }
  wipe({reinterpret_cast<std::uint8_t*>(words.data()), sizeof words});

  auto rest = out.subspan(values.size());
  append_scalar(weight, q.value_bits, rest);
  RangeHistogram ranges{};
  const double weighted = static_cast<double>(weight) / q.weight_unit;
  for (const float value : values) ++ranges[bin_of(std::fabs(static_cast<double>(value)) * weighted)];
  for (const std::uint64_t count : ranges) append_scalar(std::min(count, scalar_end - 1), q.value_bits, rest);
  for (const std::string& name : setup.metrics) {
    const auto metric = std::ranges::find(metrics, name, &Metric::name);
    const bool there = metric != metrics.end();
    append_scalar(metric_number(there ? metric->sum : 0), q.value_bits, rest);
    append_scalar(metric_number(there ? metric->count : 0), q.value_bits, rest);
  }
  return {};
}

Result<SumOfClients> dequantise(std::span<const std::uint32_t> sum, std::uint32_t clients,
                                const SumSetup& setup, std::span<float> out) {
  const Quantisation& q = setup.quantisation;
  assert(sum.size() == vector_elements(setup) && out.size() == setup.parameters);
  SumOfClients totals;
  auto rest = sum.subspan(setup.parameters);
  totals.weight = static_cast<double>(take_scalar(q.value_bits, rest));
  std::uint64_t counted = 0;
  for (std::uint64_t& bin : totals.ranges) counted += bin = take_scalar(q.value_bits, rest);
  if (counted != setup.parameters * clients)
    return fail(ErrorCode::protocol, "secure sum", "is not one of " + std::to_string(clients) + " updates");
  if (!(totals.weight > 0)) return fail(ErrorCode::quorum, "secure sum", "has no weight");
  for (const std::string& name : setup.metrics) {
    const auto number = [&] {
      return (static_cast<double>(take_scalar(q.value_bits, rest)) - metric_offset * clients) * metric_unit;
    };
    const double total = number(), count = number();
    if (count > 0) totals.metrics.push_back({name, total, count});
  }
  const double step = 2 * q.clip / steps(q);
  const double offset = q.clip * clients, unit = q.weight_unit / totals.weight;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>((static_cast<double>(sum[i]) * step - offset) * unit);
  return totals;
}

double choose_clip(const RangeHistogram& ranges, std::uint32_t clients, unsigned value_bits) {
  double values = 0;
  std::size_t highest = 0;
  for (std::size_t i = 0; i < range_bins; ++i) {
    values += static_cast<double>(ranges[i]);
    if (ranges[i] > 0) highest = i;
  }
  const double grid = static_cast<double>((std::uint64_t{1} << value_bits) - 1);
  double best = std::ldexp(1.0, range_exponent_min), best_error = HUGE_VAL;
  for (std::size_t quarter = 0; quarter <= 4 * highest; ++quarter) {
    const double clip = std::exp2(range_exponent_min + static_cast<double>(quarter) / 4);
    double clipped = 0;
    for (std::size_t i = 1; i <= highest; ++i) {
      // Within an octave values are taken for spread evenly over four places.
      const double low = std::ldexp(1.0, static_cast<int>(i) - 1 + range_exponent_min);
      for (const double place : {1.125, 1.375, 1.625, 1.875}) {
        const double beyond = std::max(0.0, low * place - clip);
        clipped += static_cast<double>(ranges[i]) / 4 * beyond * beyond;
      }
    }
    const double step = 2 * clip / grid;
    const double error = clipped / values + step * step / 6 / clients;
    if (error < best_error) {
      best_error = error;
      best = clip;
    }
  }
  return best;
}

Quantisation first_quantisation(std::uint32_t clients, double weight_unit) {
  Quantisation out;
  out.value_bits = 24;
  while (ring_bits(clients, out.value_bits) > ring_bits_max) --out.value_bits;
  out.ring_bits = ring_bits(clients, out.value_bits);
  out.clip = first_clip;
  out.weight_unit = weight_unit;
  return out;
}

}  // namespace hansa::secure_aggregation
