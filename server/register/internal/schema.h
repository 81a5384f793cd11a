// The tables of the register.
#pragma once

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// Programs of an earlier version refuse the file. Tables that they may ignore do not change it, so that a downgrade of the
// program keeps the register.
inline constexpr int register_version = 1;

// Creates the tables that the database lacks, in one transaction; concurrent calls of several processes are harmless.
// Throws SQLite::Exception.
void create_register(SQLite::Database& database);

}  // namespace hansa::server::internal
