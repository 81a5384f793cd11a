// The tables of run.sqlite, and how those of older schemas become these.
#pragma once
#include <cstdint>

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

enum class Access : std::uint8_t { read_only, read_write };

inline constexpr int newest_schema = 6;

// The newest schema in which parts of a round came: older tables lack them.
inline constexpr int schema_with_secure_sums = 2;
inline constexpr int schema_with_delta_files = 5;
inline constexpr int schema_with_state =
    6;  // also: model_kept, and published.delta in place of published.step

// Makes or migrates the tables, each in one transaction. Throws SQLite::Exception.
void make_tables(SQLite::Database& database);
void migrate_tables(SQLite::Database& database, int from);

}  // namespace hansa::server::internal
