#include "server/store/internal/evaluation_tables.h"

#include "common/sqlite/statement.h"

namespace hansa::server::internal {

std::vector<std::pair<RoundId, Metrics>> read_evaluations(SQLite::Database& database, RoundId first,
                                                          RoundId last) {
  sqlite::Statement query(database,
                          "SELECT e.round, m.name, m.sum, m.count FROM evaluations e"
                          " LEFT JOIN evaluation_metrics m ON m.round = e.round"
                          " WHERE e.round BETWEEN ? AND ? ORDER BY e.round, m.position");
  query.start(first, last);
  std::vector<std::pair<RoundId, Metrics>> out;
  while (query.next()) {
    RoundId round;
    std::optional<std::string> name;  // none: an evaluation without metrics
    Metric metric;
    query.read(round, name, metric.sum, metric.count);
    if (out.empty() || out.back().first != round) out.emplace_back(round, Metrics{});
    if (!name) continue;
    metric.name = std::move(*name);
    out.back().second.push_back(std::move(metric));
  }
  return out;
}

void replace_evaluation_rows(SQLite::Database& database, RoundId round, const Metrics& metrics) {
  sqlite::Statement(database, "DELETE FROM evaluations WHERE round = ?").run(round);
  sqlite::Statement(database, "INSERT INTO evaluations VALUES (?)").run(round);
  sqlite::Statement insert(database, "INSERT INTO evaluation_metrics VALUES (?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < metrics.size(); ++i)
    insert.run(round, i, metrics[i].name, metrics[i].sum, metrics[i].count);
}

}  // namespace hansa::server::internal
