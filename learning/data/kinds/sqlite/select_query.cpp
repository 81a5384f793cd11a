#include "learning/data/kinds/sqlite/select_query.h"

#include <cstring>
#include <utility>

#include <sqlite3.h>

#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"
#include "common/text.h"
#include "learning/data/internal/byte_stream.h"

namespace hansa::learning::kinds {
namespace {

constexpr int value_bytes_max = 16 << 20;
constexpr int block_instructions = 1'000'000;
constexpr int blocks_max = 5'000;  // without a row: about a minute

int authorize(void* /*context*/, int action, const char* /*table*/, const char* function,
              const char* /*database*/, const char* /*trigger*/) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
      return function != nullptr && sqlite3_stricmp(function, "load_extension") == 0 ? SQLITE_DENY
                                                                                     : SQLITE_OK;
    default: return SQLITE_DENY;
  }
}

void restrict_to_reading(sqlite3* database) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, value_bytes_max);
  sqlite3_set_authorizer(database, authorize, nullptr);
}

// A name as SQL writes it.
std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

tl::unexpected<Error> wrong_query(std::string what) {
  return fail(ErrorCode::usage, "data.query", std::move(what), "write one SELECT");
}

// An error of SQLite while the file is read.
tl::unexpected<Error> read_error(const std::string& location, int code, const char* message) {
  const std::string what = "cannot be read (" + printable(message) + ")";
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::data, location, what,
                  "the program that writes to it holds it locked: let it use PRAGMA journal_mode = WAL",
                  {ReasonCode::data_unreadable, {}});
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return fail(ErrorCode::data, location, what, "name an SQLite database, or restore it from a copy",
                  {ReasonCode::data_damaged, {}});
    case SQLITE_TOOBIG:
      return fail(ErrorCode::data, location, what, "select no value of more than 16 MiB",
                  {ReasonCode::data_too_large, {}});
    case SQLITE_INTERRUPT:
      return fail(ErrorCode::data, location, "takes too long: 5 billion instructions of SQLite without a row",
                  "make the query simpler, or add an index", {ReasonCode::data_too_large, {}});
    default:
      return fail(ErrorCode::data, location, what, "try the query with the program sqlite3",
                  {ReasonCode::data_unreadable, {}});
  }
}

}  // namespace

struct SelectQuery::Connection {
  sqlite::Connection open;
  int blocks = 0;  // of instructions since the last row
  [[nodiscard]] sqlite3* handle() const { return open->getHandle(); }
};

void SelectQuery::Close::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
SelectQuery::SelectQuery() = default;
SelectQuery::SelectQuery(SelectQuery&&) noexcept = default;
SelectQuery::~SelectQuery() = default;

Result<SelectQuery> SelectQuery::open(const std::filesystem::path& file, const std::string& query) {
  // For the errors of a file that is not there; SQLite names neither.
  HANSA_TRY_VOID(internal::ByteStream::open(file, "set data.file to an SQLite database"));
  SelectQuery out;
  out.location_ = file.string();
  try {
    out.connection_ = std::make_unique<Connection>(Connection{sqlite::open_to_read(file), 0});
  } catch (const SQLite::Exception& caught) {
    return read_error(out.location_, caught.getErrorCode(), caught.what());
  }
  sqlite3* database = out.connection_->handle();
  restrict_to_reading(database);
  // A view may compute without end.
  sqlite3_progress_handler(
      database, block_instructions,
      [](void* blocks) { return ++*static_cast<int*>(blocks) > blocks_max ? 1 : 0; },
      &out.connection_->blocks);

  // The statement, and what is behind it.
  const auto prepare = [&](const char* text, const char** rest) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database, text, -1, 0, &statement, rest);
    return std::pair(code, std::unique_ptr<sqlite3_stmt, Close>(statement));
  };
  const char* rest = nullptr;
  auto [code, statement] = prepare(query.c_str(), &rest);
  if (code == SQLITE_AUTH)
    return wrong_query("does more than read (" + printable(sqlite3_errmsg(database)) + ")");
  if (code == SQLITE_ERROR)
    return wrong_query("is refused by SQLite (" + printable(sqlite3_errmsg(database)) + ")");
  if (code != SQLITE_OK) return read_error(out.location_, code, sqlite3_errmsg(database));
  if (!statement || sqlite3_stmt_readonly(statement.get()) == 0 ||
      sqlite3_stmt_isexplain(statement.get()) != 0 || sqlite3_column_count(statement.get()) == 0)
    return wrong_query("is no SELECT");
  if (const auto [second_code, second] = prepare(rest, nullptr); second_code != SQLITE_OK || second)
    return wrong_query("has more than one statement");
  for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
    const char* name = sqlite3_column_name(statement.get(), i);
    out.columns_.emplace_back(name == nullptr ? "" : name);
  }
  out.statement_ = std::move(statement);
  out.text_.assign(query.c_str(), rest);
  if (out.text_.ends_with(';')) out.text_.pop_back();
  return out;
}

// The query as a table, between start and end. It may end with a comment, so that a newline follows.
Result<SelectQuery::Statement> SelectQuery::prepare_with(const std::string& start,
                                                         const std::string& end) const {
  const std::string text = start + "(\n" + text_ + "\n)" + end;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_->handle(), text.c_str(), -1, 0, &statement, nullptr);
  Statement out(statement);
  if (code == SQLITE_ERROR || code == SQLITE_AUTH)
    return wrong_query("cannot be read from a row on (" + printable(sqlite3_errmsg(connection_->handle())) +
                       ")");
  if (code != SQLITE_OK) return read_error(location_, code, sqlite3_errmsg(connection_->handle()));
  return out;
}

Result<void> SelectQuery::read_after(const std::string& column, std::int64_t value, std::uint64_t rows_max) {
  const std::string name = quoted(column);
  HANSA_TRY(statement_, prepare_with("SELECT * FROM ", " WHERE " + name + " > ?1 ORDER BY " + name +
                                                           " LIMIT " + std::to_string(rows_max)));
  sqlite3_bind_int64(statement_.get(), 1, value);
  return {};
}

Result<std::optional<std::int64_t>> SelectQuery::largest(const std::string& column) const {
  HANSA_TRY(const Statement statement, prepare_with("SELECT max(" + quoted(column) + ") FROM ", ""));
  connection_->blocks = 0;
  if (const int code = sqlite3_step(statement.get()); code != SQLITE_ROW)
    return read_error(location_, code, sqlite3_errmsg(connection_->handle()));
  if (sqlite3_column_type(statement.get(), 0) != SQLITE_INTEGER) return std::nullopt;
  return sqlite3_column_int64(statement.get(), 0);
}

Result<bool> SelectQuery::next() {
  connection_->blocks = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_DONE) return false;
  if (code != SQLITE_ROW)
    return read_error(location_ + ": row " + std::to_string(row_ + 1), code,
                      sqlite3_errmsg(connection_->handle()));
  ++row_;
  return true;
}

SqlValue SelectQuery::value(std::size_t column) const {
  const int i = static_cast<int>(column);
  sqlite3_stmt* row = statement_.get();
  SqlValue out;
  switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
      out.form = SqlValue::Form::number;
      out.number = sqlite3_column_double(row, i);
      if (sqlite3_column_type(row, i) == SQLITE_INTEGER) out.integer = sqlite3_column_int64(row, i);
      break;
    case SQLITE_TEXT: out.form = SqlValue::Form::text; break;
    case SQLITE_BLOB: out.form = SqlValue::Form::blob; return out;
    default: return out;
  }
  // The text is converted before its length is asked for.
  if (const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, i)))
    out.text = {text, static_cast<std::size_t>(sqlite3_column_bytes(row, i))};
  return out;
}

}  // namespace hansa::learning::kinds
