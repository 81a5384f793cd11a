// The tables of a client's state, and the change from earlier versions of them.
#pragma once
#include <string>

namespace SQLite {
class Database;
}

namespace hansa::client {

inline constexpr int schema_version = 2;
inline constexpr int application_id = 0x48414E53;  // "HANS": marks the file as a client's state

// Makes the tables in an empty database.
void create_schema(SQLite::Database& database);
// The tables of an intact file could not be changed; the file is as it was.
struct MigrationFailed {
  std::string what;
};
// Brings the tables of an older version up to date, in one transaction. Throws SQLite::Exception or Damaged for a damaged
// file, else MigrationFailed.
void migrate_schema(SQLite::Database& database, int from_version);

}  // namespace hansa::client
