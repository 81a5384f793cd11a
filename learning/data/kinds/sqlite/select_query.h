// One SELECT on an SQLite file that is only read.
//
// The statement is stepped through without an end in between: SQLite reads all its rows in one transaction, also while
// another process writes. An authorizer refuses everything but reading: other statements, ATTACH, PRAGMA and
// load_extension(). The schema of the file is not trusted (sqlite.org/security.html).
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

struct sqlite3_stmt;

namespace hansa::learning::kinds {

struct SqlValue {
  enum class Form : std::uint8_t { null, number, text, blob };
  Form form = Form::null;
  double number = 0;  // of a number
  std::optional<std::int64_t> integer = {};  // of a number that is an integer
  std::string_view text;  // of a number or a text; valid until the next row
};

// One thread at a time. Errors have code data, or usage if the query is wrong.
class SelectQuery {
 public:
  [[nodiscard]] static Result<SelectQuery> open(const std::filesystem::path& file, const std::string& query);
  SelectQuery(SelectQuery&&) noexcept;
  ~SelectQuery();

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  // Before the first row: reads not all rows, but those with a larger value in the column, which is one of columns(), ordered by
  // it, and at most rows_max. SQLite does so by the rowid or an index where the query allows it.
  [[nodiscard]] Result<void> read_after(const std::string& column, std::int64_t value,
                                        std::uint64_t rows_max);
  // The largest value in the column. Empty: there is no row, or it is no integer.
  [[nodiscard]] Result<std::optional<std::int64_t>> largest(const std::string& column) const;
  // Moves to the next row. Returns false if there is none.
  [[nodiscard]] Result<bool> next();
  [[nodiscard]] std::uint64_t row() const { return row_; }  // from 1
  [[nodiscard]] SqlValue value(std::size_t column) const;

 private:
  struct Close {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct Connection;  // of SQLiteCpp
  using Statement = std::unique_ptr<sqlite3_stmt, Close>;
  SelectQuery();
  [[nodiscard]] Result<Statement> prepare_with(const std::string& start, const std::string& end) const;

  std::string location_;
  std::unique_ptr<Connection> connection_;
  Statement statement_;
  std::string text_;  // of the query, without its end
  std::vector<std::string> columns_;
  std::uint64_t row_ = 0;
};

}  // namespace hansa::learning::kinds
