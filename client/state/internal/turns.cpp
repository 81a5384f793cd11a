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

std::optional<StagedTask> read_staged(SQLite::Database& database) {
  sqlite::Statement query(database, "SELECT task, seed, mark FROM staged");
  if (!query.next()) return std::nullopt;
  StagedTask out;
  query.read(out.task, out.seed, out.mark);
  return out;
}

void put_staged(SQLite::Database& database, const StagedTask& staged) {
  sqlite::Statement(database, "INSERT OR REPLACE INTO staged VALUES (1, ?, ?, ?)")
      .run(staged.task, staged.seed, staged.mark);
}

void delete_staged(SQLite::Database& database) { database.exec("DELETE FROM staged"); }

}  // namespace hansa::client
