#include "server/store/internal/layer_norms_table.h"

#include "common/sqlite/connection.h"
#include "common/sqlite/statement.h"

namespace hansa::server::internal {

void make_layer_norms_table(SQLite::Database& database) {
  database.exec(
      "CREATE TABLE IF NOT EXISTS layer_norms ("
      " round INTEGER PRIMARY KEY REFERENCES rounds(round),"
      " norms BLOB NOT NULL)");  // binary64, little-endian, in the order of the layout
}

void insert_layer_norms(SQLite::Database& database, const RoundRecord& record) {
  if (record.layer_norms.empty()) return;
  sqlite::Statement(database, "INSERT INTO layer_norms VALUES (?, ?)")
      .run(record.round, std::span(record.layer_norms));
}

std::vector<double> read_layer_norms(SQLite::Database& database, RoundId round) {
  if (sqlite::number_of(database, "SELECT count(*) FROM sqlite_master WHERE name = 'layer_norms'") == 0)
    return {};
  sqlite::Statement query(database, "SELECT norms FROM layer_norms WHERE round = ?");
  if (!query.start(round).next()) return {};
  return query.column<std::vector<double>>(0);
}

}  // namespace hansa::server::internal
