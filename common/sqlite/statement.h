// An SQL statement whose parameters and columns have types (values.h), in the order in which they stand in the text.
// One thread at a time. Throws SQLite::Exception: guard.h.
#pragma once
#include "common/sqlite/values.h"

namespace hansa::sqlite {

class Statement {
 public:
  Statement(SQLite::Database& database, const char* text) : statement_(database, text) {}

  // Starts again with these parameters; next() then gives the rows.
  template <class... Values>
  Statement& start(const Values&... values) {
    statement_.reset();
    int index = 0;
    (bind_value(statement_, ++index, values), ...);
    return *this;
  }
  // Runs a statement that gives no rows, with these parameters. May be called repeatedly.
  template <class... Values>
  void run(const Values&... values) {
    start(values...);
    statement_.exec();
  }

  // Goes to the next row; false if there is none.
  [[nodiscard]] bool next() { return statement_.executeStep(); }
  // The row's columns from the first on.
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
