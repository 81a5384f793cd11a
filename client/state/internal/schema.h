// The tables of a client's state, and their migration from earlier versions.
#pragma once
#include <string>

namespace SQLite {
class Database;
}

namespace hansa::client {

inline constexpr int schema_version = 5;
inline constexpr int application_id = 0x48414E53;  // "HANS": marks the file as a client's state

// Creates the tables in an empty database.
void create_schema(SQLite::Database& database);
// Thrown if the tables of an intact file cannot be converted. The file is unchanged.
struct MigrationFailed {
  std::string what;
};
// Converts the tables of an older version in one transaction. Throws SQLite::Exception or Damaged if the file is
// damaged, otherwise MigrationFailed.
void migrate_schema(SQLite::Database& database, int from_version);

}  // namespace hansa::client
