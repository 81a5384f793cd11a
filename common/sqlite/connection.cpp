#include "common/sqlite/connection.h"

#include <string>

#include <sqlite3.h>

namespace hansa::sqlite {
namespace {

constexpr int busy_timeout_ms = 5'000;

// The path as a URI. Three characters have a special meaning in a URI and are escaped.
std::string uri_of(const std::filesystem::path& file) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri;
}

Connection connect(const std::string& name, int flags) {
  return std::make_unique<SQLite::Database>(name, flags, busy_timeout_ms);
}

}  // namespace

Connection open_to_write(const std::filesystem::path& file) {
  auto connection = connect(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  connection->exec("PRAGMA foreign_keys = ON");
  connection->exec("PRAGMA journal_mode = WAL");
  connection->exec("PRAGMA synchronous = FULL");
  return connection;
}

Connection open_to_read(const std::filesystem::path& file) {
  try {
    auto connection = connect(file.string(), SQLite::OPEN_READONLY);
    connection->execAndGet("SELECT count(*) FROM sqlite_master");
    return connection;
  } catch (const SQLite::Exception& caught) {
    // In a folder that this user cannot write, a WAL database cannot be opened in the usual way. Without a WAL file no
    // process is writing to it, so that it can be opened as immutable.
    std::error_code ignored;
    const bool idle = !std::filesystem::exists(file.string() + "-wal", ignored);
    if (caught.getErrorCode() != SQLITE_CANTOPEN || !idle) throw;
    return connect(uri_of(file) + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI);
  }
}

Connection open_in_memory() { return connect(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE); }

int number_of(SQLite::Database& database, const char* query) { return database.execAndGet(query).getInt(); }

bool has_column(SQLite::Database& database, const char* table, const char* column) {
  SQLite::Statement columns(database, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?");
  columns.bind(1, table);
  columns.bind(2, column);
  return columns.executeStep();
}

int schema_version(SQLite::Database& database) { return number_of(database, "PRAGMA user_version"); }

void set_schema_version(SQLite::Database& database, int version) {
  database.exec("PRAGMA user_version = " + std::to_string(version));
}

}  // namespace hansa::sqlite
