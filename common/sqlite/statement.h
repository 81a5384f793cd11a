// An SQL statement with typed parameters and columns (values.h), in the order of the SQL text. One thread at a time.
// Throws SQLite::Exception: guard.h.
#pragma once
#include "common/sqlite/values.h"

namespace hansa::sqlite {

class Statement {
 public:
  Statement(SQLite::Database& database, const char* text) : statement_(database, text) {}

  // Starts the query with these parameters; next() then steps through its rows.
  template <class... Values>
  Statement& start(const Values&... values) {
    statement_.reset();
    int index = 0;
    (bind_value(statement_, ++index, values), ...);
    return *this;
  }
  // Executes a statement that returns no rows, with these parameters. May be called repeatedly.
  template <class... Values>
  void run(const Values&... values) {
    start(values...);
    statement_.exec();
  }

  // Moves to the next row; returns false if there is none.
  [[nodiscard]] bool next() { return statement_.executeStep(); }
  // Reads the row's columns, starting with the first.
  template <class... Values>
  void read(Values&... out) {
    int column = 0;
    (read_value(statement_.getColumn(column++), out), ...);
  }
  template <class Value>
  [[nodiscard]] Value column(int index) {
    Value out{};
    read_value(statement_.getColumn(index), out);
    return out;
  }

 private:
  SQLite::Statement statement_;
};

}  // namespace hansa::sqlite
