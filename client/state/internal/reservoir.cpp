#include <SQLiteCpp/SQLiteCpp.h>

#include "client/state/internal/example_bytes.h"
#include "client/state/internal/example_tables.h"
#include "client/state/internal/sealed.h"
#include "common/random.h"

namespace hansa::client {
namespace {

std::uint64_t number_in(SQLite::Database& database, const char* query) {
  return static_cast<std::uint64_t>(database.execAndGet(query).getInt64());
}

void exec(SQLite::Database& database, const char* text, std::int64_t value) {
  SQLite::Statement statement(database, text);
  statement.bind(1, value);
  statement.exec();
}

}  // namespace

ExampleCounts count_examples(SQLite::Database& database) {
  return {number_in(database, "SELECT count(*) FROM fresh WHERE turn IS NULL"),
          number_in(database, "SELECT count(DISTINCT slot) FROM replay"),
          number_in(database, "SELECT count FROM trained")};
}

ExampleSnapshot read_examples(SQLite::Database& database, const Turn& turn, const std::string& location) {
  const auto nothing = [&] {
    return Refused{Error{ErrorCode::data, location, "holds no example", "data has yet to arrive"}};
  };
  const auto shape = read_shape(database);
  if (!shape) throw nothing();
  ExampleSnapshot out;
  out.examples.shape = *shape;
  const ExampleBytes bytes(*shape);
  SQLite::Statement fresh(database, turn.asked == Asked::again
                                        ? "SELECT id, example FROM fresh WHERE turn = ? ORDER BY id"
                                        : "SELECT id, example FROM fresh WHERE turn IS NULL ORDER BY id");
  if (turn.asked == Asked::again) fresh.bind(1, turn.last);
  while (fresh.executeStep()) {
    out.mark = static_cast<std::uint64_t>(fresh.getColumn(0).getInt64());
    bytes.unpack(unsealed(fresh.getColumn(1)), out.examples);
    ++out.fresh;
  }
  SQLite::Statement replay(database,
                           "SELECT example FROM replay WHERE turn = (SELECT max(turn) FROM replay AS r WHERE "
                           "r.slot = replay.slot AND r.turn <= ?) ORDER BY slot");
  replay.bind(1, turn.visible());
  while (replay.executeStep()) bytes.unpack(unsealed(replay.getColumn(0)), out.examples);
  if (out.examples.count() == 0) throw nothing();
  return out;
}

void undo_examples(SQLite::Database& database, std::int64_t turn) {
  exec(database, "UPDATE trained SET count = count - (SELECT count(*) FROM fresh WHERE turn = ?)", turn);
  exec(database, "UPDATE fresh SET turn = NULL WHERE turn = ?", turn);
  exec(database, "DELETE FROM replay WHERE turn = ?", turn);
}

void settle_examples(SQLite::Database& database) {
  database.exec("DELETE FROM fresh WHERE turn IS NOT NULL");
  database.exec(
      "DELETE FROM replay WHERE turn < (SELECT max(turn) FROM replay AS r WHERE r.slot = replay.slot)");
}

void move_to_reservoir(SQLite::Database& database, const Trained& trained) {
  const auto replay_max = trained.replay_max;
  const auto mark = static_cast<std::int64_t>(trained.mark);
  std::uint64_t count = number_in(database, "SELECT count FROM trained");
  SQLite::Statement fresh(database, "SELECT id FROM fresh WHERE turn IS NULL AND id <= ? ORDER BY id");
  fresh.bind(1, mark);
  SQLite::Statement keep(database,
                         "INSERT OR REPLACE INTO replay SELECT ?, ?, example FROM fresh WHERE id = ?");
  while (fresh.executeStep()) {
    // Derived for each example: a crash before the commit changes no choice.
    const std::uint64_t slot =
        count < replay_max ? count
                           : Random(derive_seed(trained.seed, "replay reservoir", count)).below(count + 1);
    ++count;
    if (slot >= replay_max) continue;
    keep.bind(1, static_cast<std::int64_t>(slot));
    keep.bind(2, trained.turn);
    keep.bind(3, fresh.getColumn(0).getInt64());
    keep.exec();
    keep.reset();
  }
  fresh.reset();
  SQLite::Statement taken(database, "UPDATE fresh SET turn = ? WHERE turn IS NULL AND id <= ?");
  taken.bind(1, trained.turn);
  taken.bind(2, mark);
  taken.exec();
  // The operator may have made the reservoir smaller.
  exec(database, "DELETE FROM replay WHERE slot >= ?", static_cast<std::int64_t>(replay_max));
  exec(database, "UPDATE trained SET count = ?", static_cast<std::int64_t>(count));
}

}  // namespace hansa::client
