#include "server/coordinator/internal/staleness_weight.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hansa::server {
namespace {

// The largest weight of a sum has 29 bits. 16 of them make the weight of a single update exact to 1 / 131,072.
constexpr unsigned weight_bits = 29, unit_bits_most = 16;

std::uint64_t unit(const OperatorSettings& settings) {
  if (settings.cohort.buffered.weights == BufferedConfig::Weights::updates)
    return std::uint64_t{1} << unit_bits_most;
  const auto examples_bits = static_cast<unsigned>(std::bit_width(settings.limits.examples_max));
  return std::uint64_t{1} << std::min(weight_bits - std::min(examples_bits, weight_bits), unit_bits_most);
}

}  // namespace

std::uint64_t full_weight(const OperatorSettings& settings, std::uint64_t examples) {
  const bool by_examples = settings.cohort.buffered.weights == BufferedConfig::Weights::examples;
  return unit(settings) * (by_examples ? examples : 1);
}

std::uint64_t stale_weight(std::uint64_t full_weight, std::uint32_t staleness) {
  const double exact = static_cast<double>(full_weight) / std::sqrt(1.0 + static_cast<double>(staleness));
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(std::llround(exact)), 1);
}

AccumulationBounds buffer_bounds(const OperatorSettings& settings) {
  AccumulationBounds out;
  out.weight_max = full_weight(settings, settings.limits.examples_max);
  out.updates_max = settings.cohort.buffered.updates;
  out.magnitude_max = static_cast<float>(settings.limits.magnitude_max);
  return out;
}

}  // namespace hansa::server
