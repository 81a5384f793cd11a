#include "server/store/internal/outcome_tables.h"

#include "common/sqlite/connection.h"
#include "common/sqlite/statement.h"
#include "server/store/internal/schema.h"

namespace hansa::server::internal {

void add_abandon_cause(SQLite::Database& database) {
  if (!sqlite::has_column(database, "abandoned_attempts", "cause"))
    database.exec("ALTER TABLE abandoned_attempts ADD COLUMN cause TEXT NOT NULL DEFAULT ''");
}

std::vector<AbandonedAttempt> read_abandoned(SQLite::Database& database, int schema) {
  std::vector<AbandonedAttempt> out;
  if (schema < schema_with_kind) return out;
  const bool has_causes = sqlite::has_column(database, "abandoned_attempts", "cause");
  sqlite::Statement query(
      database, has_causes ? "SELECT round, attempt, at, cause, reason FROM abandoned_attempts ORDER BY id"
                           : "SELECT round, attempt, at, '', reason FROM abandoned_attempts ORDER BY id");
  while (query.next()) {
    AbandonedAttempt& attempt = out.emplace_back();
    std::string cause;
    query.read(attempt.round, attempt.attempt, attempt.at, cause, attempt.reason);
    attempt.cause = abandon_cause_of(cause);
  }
  return out;
}

void insert_abandoned_row(SQLite::Database& database, const AbandonedAttempt& attempt) {
  sqlite::Statement(
      database, "INSERT INTO abandoned_attempts (round, attempt, at, cause, reason) VALUES (?, ?, ?, ?, ?)")
      .run(attempt.round, attempt.attempt, attempt.at, name(attempt.cause), attempt.reason);
  sqlite::Statement(database,
                    "DELETE FROM abandoned_attempts WHERE id <= (SELECT max(id) FROM abandoned_attempts) - ?")
      .run(abandoned_attempts_max);
}

std::optional<RunEnd> read_end(SQLite::Database& database, int schema) {
  if (schema < schema_with_kind) return std::nullopt;
  sqlite::Statement query(database, "SELECT after_round, at, why FROM run_end");
  if (!query.next()) return std::nullopt;
  RunEnd out;
  query.read(out.after, out.at, out.why);
  return out;
}

void replace_end_row(SQLite::Database& database, const RunEnd& end) {
  sqlite::Statement(database, "INSERT OR REPLACE INTO run_end VALUES (1, ?, ?, ?)")
      .run(end.after, end.at, end.why);
}

}  // namespace hansa::server::internal
