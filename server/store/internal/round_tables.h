// Committed rounds in run.sqlite. Throws SQLite::Exception.
//
// schema: that of the tables, which may be older than the newest if the run is only read.
#pragma once
#include <optional>
#include <vector>

#include "server/store/internal/retained_rounds.h"
#include "server/store/run.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

[[nodiscard]] RoundId read_last_round(SQLite::Database& database);
[[nodiscard]] std::optional<Digest> read_round_model(SQLite::Database& database, RoundId round);
// The committed rounds from first to last, in order, with their participations and without what they published.
[[nodiscard]] std::vector<RoundRecord> read_rounds(SQLite::Database& database, int schema, RoundId first,
                                                   RoundId last);
[[nodiscard]] std::vector<ClientRound> read_client_rounds(SQLite::Database& database,
                                                          const std::string& client, std::size_t most);
[[nodiscard]] std::vector<RoundId> read_rounds_without_model(SQLite::Database& database, int schema);
[[nodiscard]] std::optional<Published> read_published(SQLite::Database& database, int schema, RoundId round);
// All rounds of which the store holds something, without scores.
[[nodiscard]] std::vector<HeldRound> read_held_rounds(SQLite::Database& database);

// Within the caller's transaction.
void insert_round_rows(SQLite::Database& database, const RoundRecord& record);
void mark_removed(SQLite::Database& database, const Surplus& surplus);

}  // namespace hansa::server::internal
