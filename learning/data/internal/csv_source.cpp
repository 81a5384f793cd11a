#include "learning/data/internal/csv_source.h"

#include "learning/data/dense_source.h"
#include "learning/data/internal/csv_series.h"
#include "learning/data/internal/csv_table.h"

namespace hansa::learning::internal {
namespace {

Examples take_rows(CsvTable& table, const DataConfig& config) {
  Examples out;
  if (table.columns > 0) {
    out.shape.inputs.push_back({"x", ElementType::float32, {static_cast<std::int64_t>(table.columns)}, 0});
    out.tensors.emplace_back(std::move(table.inputs));
  }
  for (ArrayColumn& sequence : table.sequences) sequence.move_to(out);
  out.shape.targets = {table.target(config)};
  if (config.target == TargetKind::real) out.tensors.emplace_back(std::move(table.reals));
  else out.tensors.emplace_back(std::move(table.class_indices));
  return out;
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_csv_source(const DataConfig& config) {
  const bool series = has_series(config);
  HANSA_TRY(CsvTable table, read_csv_table(config, series ? 0 : config.examples_max));
  Examples examples = series ? take_series(table, config) : take_rows(table, config);
  DataDescription description = table.describe(examples.shape);
  return std::make_unique<DenseSource>(config.file.string(), std::move(examples), std::move(description));
}

}  // namespace hansa::learning::internal
