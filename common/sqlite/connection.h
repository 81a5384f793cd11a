// Opens SQLite files. What is opened throws SQLite::Exception: guard.h.
#pragma once
#include <filesystem>
#include <memory>

#include <SQLiteCpp/SQLiteCpp.h>

namespace hansa::sqlite {

using Connection = std::unique_ptr<SQLite::Database>;

// Makes the file if it is missing. WAL with synchronous = FULL: a transaction is durable when it returns, at one flush;
// readers see whole transactions while the writer works. Foreign keys are enforced.
[[nodiscard]] Connection open_to_write(const std::filesystem::path& file);
// Also while another process writes, and in a folder that this user may not write.
[[nodiscard]] Connection open_to_read(const std::filesystem::path& file);
// Nothing is written.
[[nodiscard]] Connection open_in_memory();

[[nodiscard]] int number_of(SQLite::Database& database, const char* query);
// PRAGMA user_version: 0 in a new file.
[[nodiscard]] int schema_version(SQLite::Database& database);
// Takes effect with the transaction in which it is called.
void set_schema_version(SQLite::Database& database, int version);

}  // namespace hansa::sqlite
