#include "learning/data/internal/csv_source.h"

#include "learning/data/dense_source.h"
#include "learning/data/internal/csv_table.h"

namespace hansa::learning::internal {

Result<std::unique_ptr<DataSource>> open_csv_source(const DataConfig& config) {
  HANSA_TRY(CsvTable table, read_csv_table(config, config.examples_max));
  Examples examples;
  examples.shape.input = {static_cast<std::int64_t>(table.columns)};
  examples.shape.target_kind = config.target;
  examples.shape.class_count = table.class_count(config);
  DataDescription description = table.describe(examples.shape);
  examples.inputs = std::move(table.inputs);
  examples.classes = std::move(table.class_indices);
  examples.reals = std::move(table.reals);
  return std::make_unique<DenseSource>(config.file.string(), std::move(examples), std::move(description));
}

}  // namespace hansa::learning::internal
