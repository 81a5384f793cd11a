#include "learning/data/scaled_source.h"

#include <algorithm>
#include <cmath>

namespace hansa::learning {

std::string columns_hint(std::size_t columns) {
  return "compare this client's columns with those of the others, or set statistics.columns = " +
         std::to_string(columns) + " in federation.toml";
}

ScaledSource::ScaledSource(std::shared_ptr<const DataSource> source)
    : source_(std::move(source)), inputs_(float_inputs(source_->shape())) {}

Result<std::unique_ptr<ScaledSource>> ScaledSource::create(std::shared_ptr<const DataSource> source,
                                                           const ColumnStatistics& statistics) {
  const std::size_t columns = float_columns(source->shape());
  if (columns != statistics.columns())
    return fail(ErrorCode::data, source->location(),
                "has " + std::to_string(columns) + " columns, and the federation's statistics are of " +
                    std::to_string(statistics.columns()),
                columns_hint(columns));
  std::unique_ptr<ScaledSource> out(new ScaledSource(std::move(source)));
  for (std::size_t c = 0; c < columns; ++c) {
    const double mean = statistics.means[c], deviation = statistics.deviations[c];
    out->scales_.push_back({mean, deviation > 1e-12 * std::abs(mean) ? 1 / deviation : 0});
  }
  return out;
}

void ScaledSource::scale(std::span<const TensorBytes> tensors) const {
  for (const FloatInput& input : inputs_) {
    float* value = values_of<float>(tensors[input.tensor]).data();
    const float* const end = value + values_of<float>(tensors[input.tensor]).size();
    while (value != end)
      for (std::size_t c = 0; c < input.columns; ++c) {
        const auto [mean, factor] = scales_[input.first_column + c];
        for (std::size_t i = 0; i < input.values; ++i, ++value)
          *value = static_cast<float>(
              std::clamp((static_cast<double>(*value) - mean) * factor, -scaled_value_max, scaled_value_max));
      }
  }
}

Result<void> ScaledSource::read(std::span<const std::uint32_t> indices,
                                std::span<const TensorBytes> tensors) const {
  HANSA_TRY_VOID(source_->read(indices, tensors));
  scale(tensors);
  return {};
}

Result<void> ScaledSource::read_augmented(std::span<const std::uint32_t> indices,
                                          std::span<const TensorBytes> tensors, std::uint64_t seed) const {
  HANSA_TRY_VOID(source_->read_augmented(indices, tensors, seed));
  scale(tensors);
  return {};
}

Result<std::unique_ptr<DataSource>> scaled(std::unique_ptr<DataSource> source, Scaling scale,
                                           std::span<const float> statistics) {
  if (scale != Scaling::federation) return source;
  if (statistics.empty())
    return fail(ErrorCode::usage, source->location(),
                "is to be scaled by the federation's statistics, and there are none",
                "add [statistics] to federation.toml, or set another scale");
  HANSA_TRY(const ColumnStatistics columns, statistics_of_vector(statistics));
  HANSA_TRY(auto out, ScaledSource::create(std::move(source), columns));
  return std::unique_ptr<DataSource>(std::move(out));
}

}  // namespace hansa::learning
