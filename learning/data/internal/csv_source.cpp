#include "learning/data/internal/csv_source.h"

#include "learning/data/internal/csv_table.h"
#include "learning/data/internal/dense_source.h"

namespace hansa::learning::internal {

Result<std::unique_ptr<DataSource>> open_csv_source(const DataConfig& config) {
  HANSA_TRY(CsvTable table, read_csv_table(config, config.examples_max));
  ExampleShape shape;
  shape.input = {static_cast<std::int64_t>(table.columns)};
  shape.target_kind = config.target;
  shape.class_count = table.class_count(config);
  return std::make_unique<DenseSource>(config.file.string(), std::move(shape), std::move(table.inputs),
                                       std::move(table.class_indices), std::move(table.reals));
}

}  // namespace hansa::learning::internal
