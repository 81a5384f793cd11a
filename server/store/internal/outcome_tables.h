// What became of attempts and of the run, in run.sqlite. Throws SQLite::Exception.
#pragma once
#include <optional>
#include <vector>

#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// Adds the column of the causes unless it is there. As with the norms of layers, it is in addition to a schema: a Hansa
// that does not know it reads and continues the run.
void add_abandon_cause(SQLite::Database& database);
// In order. Empty for a schema without the table.
[[nodiscard]] std::vector<AbandonedAttempt> read_abandoned(SQLite::Database& database, int schema);
// Within the caller's transaction. Removes the oldest beyond abandoned_attempts_max.
void insert_abandoned_row(SQLite::Database& database, const AbandonedAttempt& attempt);

// Empty for a schema without the table.
[[nodiscard]] std::optional<RunEnd> read_end(SQLite::Database& database, int schema);
// Within the caller's transaction.
void replace_end_row(SQLite::Database& database, const RunEnd& end);

}  // namespace hansa::server::internal
