#include "client/state/internal/turns.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "client/state/internal/sealed.h"

namespace hansa::client {

Turn turn_of(SQLite::Database& database, TaskId task) {
  SQLite::Statement query(database, "SELECT task, turn FROM ledger");
  if (!query.executeStep()) throw Damaged{"the ledger is empty"};
  const bool is_last =
      !query.getColumn(0).isNull() && static_cast<std::uint64_t>(query.getColumn(0).getInt64()) == task.value;
  return {query.getColumn(1).getInt64(), is_last ? Asked::again : Asked::first};
}

void set_turn(SQLite::Database& database, TaskId task, std::int64_t turn) {
  SQLite::Statement update(database, "UPDATE ledger SET task = ?, turn = ?");
  update.bind(1, static_cast<std::int64_t>(task.value));
  update.bind(2, turn);
  update.exec();
}

}  // namespace hansa::client
