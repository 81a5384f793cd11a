#include "server/store/internal/arrivals_table.h"

#include "common/sqlite/connection.h"
#include "common/sqlite/statement.h"

namespace hansa::server::internal {

// An update is in one round: the database refuses it in a second one.
void make_arrivals_table(SQLite::Database& database) {
  database.exec(
      "CREATE TABLE IF NOT EXISTS arrivals ("
      " round     INTEGER NOT NULL REFERENCES rounds(round),"
      " position  INTEGER NOT NULL,"
      " client    TEXT NOT NULL,"
      " base      INTEGER NOT NULL,"  // the round whose model it was trained on
      " task      INTEGER NOT NULL,"
      " staleness INTEGER NOT NULL,"
      " weight    INTEGER NOT NULL,"
      " PRIMARY KEY (round, position),"
      " UNIQUE (client, base, task)) WITHOUT ROWID");
}

void insert_arrivals(SQLite::Database& database, const RoundRecord& record) {
  if (record.arrivals.empty()) return;
  sqlite::Statement insert(database, "INSERT INTO arrivals VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < record.arrivals.size(); ++i) {
    const Arrival& arrival = record.arrivals[i];
    insert.run(record.round, i, arrival.client, arrival.base, arrival.task, arrival.staleness,
               arrival.weight);
  }
}

std::vector<Arrival> read_arrivals(SQLite::Database& database, RoundId round) {
  std::vector<Arrival> out;
  if (sqlite::number_of(database, "SELECT count(*) FROM sqlite_master WHERE name = 'arrivals'") == 0)
    return out;
  sqlite::Statement query(database,
                          "SELECT client, base, task, staleness, weight FROM arrivals WHERE round = ?"
                          " ORDER BY position");
  query.start(round);
  while (query.next()) {
    Arrival& arrival = out.emplace_back();
    query.read(arrival.client, arrival.base, arrival.task, arrival.staleness, arrival.weight);
  }
  return out;
}

}  // namespace hansa::server::internal
