// The order in which the updates of a model arrived, in run.sqlite, for rounds of buffered aggregation. Throws
// SQLite::Exception.
//
// Like the norms of layers, the table is in addition to a schema: a Hansa that does not know it reads and continues the
// run. So it has no digest.
#pragma once
#include <vector>

#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// Does nothing if the table is there.
void make_arrivals_table(SQLite::Database& database);
// Within the caller's transaction.
void insert_arrivals(SQLite::Database& database, const RoundRecord& record);
// In the order in which the updates were counted.
[[nodiscard]] std::vector<Arrival> read_arrivals(SQLite::Database& database, RoundId round);

}  // namespace hansa::server::internal
