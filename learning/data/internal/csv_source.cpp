#include "learning/data/internal/csv_source.h"

#include "learning/data/dense_source.h"
#include "learning/data/internal/csv_table.h"

namespace hansa::learning::internal {

Result<std::unique_ptr<DataSource>> open_csv_source(const DataConfig& config) {
  HANSA_TRY(CsvTable table, read_csv_table(config, config.examples_max));
  Examples examples(one_input({static_cast<std::int64_t>(table.columns)}, table.target(config)));
  DataDescription description = table.describe(examples.shape);
  examples.tensors[0] = std::move(table.inputs);
  if (config.target == TargetKind::real) examples.tensors[1] = std::move(table.reals);
  else examples.tensors[1] = std::move(table.class_indices);
  return std::make_unique<DenseSource>(config.file.string(), std::move(examples), std::move(description));
}

}  // namespace hansa::learning::internal
