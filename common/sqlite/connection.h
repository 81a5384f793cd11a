// Opens SQLite files. The functions and the connections throw SQLite::Exception (guard.h).
#pragma once
#include <filesystem>
#include <memory>

#include <SQLiteCpp/SQLiteCpp.h>

namespace hansa::sqlite {

using Connection = std::unique_ptr<SQLite::Database>;

// Creates the file if it is missing. Uses WAL with synchronous = FULL: a transaction is durable when its commit
// returns, at the cost of one flush. Readers see only complete transactions while the writer works. Foreign keys are
// enforced.
[[nodiscard]] Connection open_to_write(const std::filesystem::path& file);
// Works while another process writes, and in a folder that this user may not write.
[[nodiscard]] Connection open_to_read(const std::filesystem::path& file);
// An empty database in memory: nothing is written to disk.
[[nodiscard]] Connection open_in_memory();

[[nodiscard]] int number_of(SQLite::Database& database, const char* query);
// False also if there is no such table.
[[nodiscard]] bool has_column(SQLite::Database& database, const char* table, const char* column);
// PRAGMA user_version: 0 in a new file.
[[nodiscard]] int schema_version(SQLite::Database& database);
// Takes effect with the transaction in which it is called.
void set_schema_version(SQLite::Database& database, int version);

}  // namespace hansa::sqlite
