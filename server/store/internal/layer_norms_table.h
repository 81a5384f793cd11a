// The norms of the update of each layer, in run.sqlite. Throws SQLite::Exception.
//
// The table is in addition to a schema: a Hansa that does not know it reads and continues the run, and leaves the table as
// it is. So it has no digest, and rounds may lack a row.
#pragma once
#include <vector>

#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// Does nothing if the table is there.
void make_layer_norms_table(SQLite::Database& database);
// Within the caller's transaction. Nothing is written for a record without norms.
void insert_layer_norms(SQLite::Database& database, const RoundRecord& record);
// Of the layers in their order. Empty: not known.
[[nodiscard]] std::vector<double> read_layer_norms(SQLite::Database& database, RoundId round);

}  // namespace hansa::server::internal
