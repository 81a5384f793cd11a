// The identity of a run in run.sqlite. Throws SQLite::Exception.
#pragma once
#include <optional>

#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// schema: that of the tables, which may be older than the newest if the run is only read.
[[nodiscard]] std::optional<RunIdentity> read_identity(SQLite::Database& database, int schema);
// Within the caller's transaction.
void insert_identity(SQLite::Database& database, const RunIdentity& identity);

}  // namespace hansa::server::internal
