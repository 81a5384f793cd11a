// The table of the sums that the client helped to open. Functions on an open database; insert_opened() runs inside the
// caller's transaction. They throw SQLite::Exception or Damaged.
#pragma once
#include <vector>

#include "common/sqlite/statement.h"
#include "protocols/secure_aggregation/opened_sums.h"

namespace hansa::client {

inline constexpr const char* opened_table = R"sql(
CREATE TABLE opened (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  model     BLOB NOT NULL,     -- digest of its values
  grid      BLOB NOT NULL,     -- digest: how the update became ring elements
  sum       BLOB NOT NULL      -- sealed: checksum of the client's update, epoch of certificates, survivors' tags
);
)sql";

// From the oldest to the newest.
[[nodiscard]] std::vector<secure_aggregation::OpenedSum> read_opened(SQLite::Database& database);
// Keeps the last opened_sums_max.
void insert_opened(SQLite::Database& database, const secure_aggregation::OpenedSum& sum);

}  // namespace hansa::client
