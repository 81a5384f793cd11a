// Kind "sqlite": the rows of a query (row_table.h).
#include <memory>
#include <string>
#include <utility>

#include "learning/data/kinds/openers.h"
#include "learning/data/kinds/records/column_choice.h"
#include "learning/data/kinds/sqlite/row_table.h"
#include "learning/data/kinds/sqlite/select_query.h"

namespace hansa::learning::kinds {

Result<std::unique_ptr<DataSource>> open_sqlite(const DataConfig& config) {
  HANSA_TRY(SelectQuery query, SelectQuery::open(config.file, config.query));
  HANSA_TRY(ColumnChoice choice,
            choose_columns(config, query.columns(), config.file.string() + ": data.query"));
  RowTable table(config, query.columns(), std::move(choice));
  while (config.examples_max == 0 || table.count() < config.examples_max) {
    HANSA_TRY(const bool more, query.next());
    if (!more) break;
    HANSA_TRY_VOID(table.add(query, {"row " + std::to_string(query.row()), query.row()}));
  }
  if (table.count() == 0)
    return fail(ErrorCode::data, config.file.string(), "has no row for data.query",
                "give this client a table with rows, or correct the query",
                {ReasonCode::too_few_examples, {}});
  RowTable::Rows rows = table.take();
  return std::make_unique<DenseSource>(config.file.string(), std::move(rows.examples),
                                       std::move(rows.description));
}

}  // namespace hansa::learning::kinds
