#include "learning/internal/update_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

namespace hansa::learning {
namespace {

std::string number_text(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

const ParameterEntry& entry_of(const ParameterLayout& layout, std::size_t value) {
  const auto after = std::ranges::upper_bound(layout.entries(), value, {}, &ParameterEntry::offset);
  return *std::prev(after);
}

// "from -3.1 to 9122", of the first examples' float32 inputs. Values that are not finite are left out.
std::string range_text(const DataSource& source) {
  constexpr std::uint64_t examples_max = 1'000;
  constexpr std::size_t values_max = std::size_t{1} << 20;
  std::size_t width = 0;
  for (const TensorSpec& input : source.shape().inputs) width += input.elements();
  const std::uint64_t count =
      std::min({source.example_count(), examples_max,
                std::uint64_t{std::max<std::size_t>(values_max / std::max<std::size_t>(width, 1), 1)}});
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0U);
  std::vector<float> inputs;
  for (std::size_t t = 0; t < source.shape().inputs.size(); ++t) {
    if (source.shape()[t].type != ElementType::float32) continue;
    if (const auto values = read_tensor<float>(source, t, indices))
      inputs.insert(inputs.end(), values->begin(), values->end());
  }
  std::erase_if(inputs, [](float value) { return !std::isfinite(value); });
  if (inputs.empty()) return "over no finite float32";
  const auto [least, most] = std::ranges::minmax(inputs);
  return "from " + number_text(least) + " to " + number_text(most);
}

}  // namespace

Result<void> check_update(const ParameterLayout& layout, std::span<const float> update, double magnitude_max,
                          const DataSource& source) {
  std::size_t worst = 0;
  for (std::size_t i = 0; i < update.size(); ++i) {
    if (!std::isfinite(update[i])) {
      worst = i;
      break;
    }
    if (std::abs(update[i]) > std::abs(update[worst])) worst = i;
  }
  if (update.empty() || (std::isfinite(update[worst]) && std::abs(update[worst]) <= magnitude_max)) return {};
  const ParameterEntry& entry = entry_of(layout, worst);
  const std::string value = std::isfinite(update[worst])
                                ? "changed by " + number_text(update[worst]) +
                                      ", and limits.magnitude_max allows " + number_text(magnitude_max)
                                : std::string("became infinite or NaN in training");
  // No learning rate moves a buffer: it follows the data.
  const std::string hint =
      entry.kind == ParameterKind::buffer
          ? "scale the inputs, or raise limits.magnitude_max"
          : "lower training.learning_rate, scale the inputs, or raise limits.magnitude_max";
  return fail(ErrorCode::data, source.location(),
              entry.name + " " + value + "; the inputs range " + range_text(source), hint,
              {ReasonCode::diverged, {}});
}

}  // namespace hansa::learning
