// The tables of run.sqlite, and their migration from older schemas.
#pragma once
#include <cstdint>

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

enum class Access : std::uint8_t { read_only, read_write };

inline constexpr int newest_schema = 8;

// The schemas that added parts of a round; older tables lack them.
inline constexpr int schema_with_secure_sums = 2;
inline constexpr int schema_with_delta_files = 5;
// This schema also added model_kept, and renamed published.step to published.delta.
inline constexpr int schema_with_state = 6;
inline constexpr int schema_with_history = 7;  // digests of all rows: history.h
inline constexpr int schema_with_kind =
    8;  // whether a run is simulated; also added update_norm, abandoned_attempts and run_end

// Creates or migrates the tables, each in one transaction. Throws SQLite::Exception.
void make_tables(SQLite::Database& database);
void migrate_tables(SQLite::Database& database, int from);

}  // namespace hansa::server::internal
