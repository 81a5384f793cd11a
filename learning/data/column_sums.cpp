#include "learning/data/column_sums.h"

#include <algorithm>
#include <numeric>

#include "learning/data/float_columns.h"

namespace hansa::learning {
namespace {

constexpr std::size_t batch_bytes = std::size_t{8} << 20;

Result<void> add(const FloatInput& input, std::span<const float> values, ColumnSums& sums) {
  const std::size_t example = input.columns * input.values;
  for (std::size_t first = 0; first < values.size(); first += example)
    for (std::size_t column = 0; column < input.columns; ++column)
      HANSA_TRY_VOID(
          sums.add(input.first_column + column, values.subspan(first + column * input.values, input.values)));
  return {};
}

}  // namespace

Result<ColumnSums> sum_columns(const DataSource& source, const std::stop_token& stop) {
  const std::vector<FloatInput> inputs = float_inputs(source.shape());
  const std::size_t columns = float_columns(source.shape());
  if (columns == 0)
    return fail(ErrorCode::data, source.location(), "has no float32 input, which statistics are of",
                "remove [data] scale = \"federation\"");
  if (columns > statistics_columns_max)
    return fail(ErrorCode::resource, source.location(),
                "has " + std::to_string(columns) + " columns, and statistics are of at most " +
                    std::to_string(statistics_columns_max),
                "remove [data] scale = \"federation\"");
  ColumnSums sums(columns);
  for (const FloatInput& input : inputs) {
    const std::size_t bytes = source.shape()[input.tensor].bytes();
    const std::size_t batch =
        std::clamp<std::size_t>(batch_bytes / bytes, 1, static_cast<std::size_t>(source.example_count()));
    std::vector<std::uint32_t> indices(batch);
    for (std::uint64_t first = 0; first < source.example_count(); first += batch) {
      if (stop.stop_requested())
        return fail(ErrorCode::resource, source.location(), "stopped", {}, {ReasonCode::stopped, {}});
      indices.resize(
          static_cast<std::size_t>(std::min<std::uint64_t>(batch, source.example_count() - first)));
      std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(first));
      HANSA_TRY(const auto values, read_tensor<float>(source, input.tensor, indices));
      auto added = add(input, values, sums);
      if (added) continue;
      added.error().location = source.location();
      return tl::unexpected<Error>(std::move(added).error());
    }
  }
  return sums;
}

}  // namespace hansa::learning
