// Evaluations in run.sqlite. Throws SQLite::Exception.
#pragma once
#include <utility>
#include <vector>

#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// Those of the rounds first to last, in order.
[[nodiscard]] std::vector<std::pair<RoundId, Metrics>> read_evaluations(SQLite::Database& database,
                                                                        RoundId first, RoundId last);
// Within the caller's transaction.
void replace_evaluation_rows(SQLite::Database& database, RoundId round, const Metrics& metrics);

}  // namespace hansa::server::internal
