#include "client/state/internal/turns.h"

#include <optional>

#include "client/state/internal/sealed.h"

namespace hansa::client {

Turn turn_of(SQLite::Database& database, TaskId task) {
  sqlite::Statement query(database, "SELECT task, turn FROM ledger");
  if (!query.next()) throw Damaged{"the ledger is empty"};
  std::optional<TaskId> last;
  Turn out;
  query.read(last, out.last);
  out.asked = last == task ? Asked::again : Asked::first;
  return out;
}

void set_turn(SQLite::Database& database, TaskId task, std::int64_t turn) {
  sqlite::Statement(database, "UPDATE ledger SET task = ?, turn = ?").run(task, turn);
}

}  // namespace hansa::client
