#include "client/state/internal/example_bytes.h"
#include "client/state/internal/example_tables.h"
#include "client/state/internal/sealed.h"
#include "common/random.h"

namespace hansa::client {
namespace {

std::uint64_t number_in(SQLite::Database& database, const char* query) {
  sqlite::Statement statement(database, query);
  return statement.next() ? statement.column<std::uint64_t>(0) : 0;
}

}  // namespace

ExampleCounts count_examples(SQLite::Database& database) {
  return {number_in(database, "SELECT count(*) FROM fresh WHERE turn IS NULL"),
          number_in(database, "SELECT count(DISTINCT slot) FROM replay"),
          number_in(database, "SELECT count FROM trained")};
}

ExampleSnapshot read_examples(SQLite::Database& database, const Turn& turn, const std::string& location) {
  const auto nothing = [&] {
    return Refused{Error{ErrorCode::data,
                         location,
                         "holds no example",
                         "data has yet to arrive",
                         {ReasonCode::nothing_arrived, {}}}};
  };
  const auto shape = read_shape(database);
  if (!shape) throw nothing();
  ExampleSnapshot out;
  out.examples = learning::Examples(shape->shape);
  const ExampleBytes bytes(shape->shape);
  Unsealed example;
  // IS also matches NULL.
  sqlite::Statement fresh(database, "SELECT id, example FROM fresh WHERE turn IS ? ORDER BY id");
  fresh.start(turn.asked == Asked::again ? std::optional(turn.last) : std::nullopt);
  while (fresh.next()) {
    fresh.read(out.mark, example);
    bytes.unpack(example.bytes, out.examples);
    ++out.fresh;
  }
  sqlite::Statement replay(database,
                           "SELECT example FROM replay WHERE turn = (SELECT max(turn) FROM replay AS r WHERE "
                           "r.slot = replay.slot AND r.turn <= ?) ORDER BY slot");
  replay.start(turn.visible());
  while (replay.next()) {
    replay.read(example);
    bytes.unpack(example.bytes, out.examples);
  }
  if (out.examples.count() == 0) throw nothing();
  return out;
}

void undo_examples(SQLite::Database& database, std::int64_t turn) {
  sqlite::Statement(database,
                    "UPDATE trained SET count = count - (SELECT count(*) FROM fresh WHERE turn = ?)")
      .run(turn);
  sqlite::Statement(database, "UPDATE fresh SET turn = NULL WHERE turn = ?").run(turn);
  sqlite::Statement(database, "DELETE FROM replay WHERE turn = ?").run(turn);
}

void settle_examples(SQLite::Database& database) {
  database.exec("DELETE FROM fresh WHERE turn IS NOT NULL");
  database.exec(
      "DELETE FROM replay WHERE turn < (SELECT max(turn) FROM replay AS r WHERE r.slot = replay.slot)");
}

void move_to_reservoir(SQLite::Database& database, const Trained& trained) {
  const auto replay_max = trained.replay_max;
  std::uint64_t count = number_in(database, "SELECT count FROM trained");
  sqlite::Statement fresh(database, "SELECT id FROM fresh WHERE turn IS NULL AND id <= ? ORDER BY id");
  sqlite::Statement keep(database,
                         "INSERT OR REPLACE INTO replay SELECT ?, ?, example FROM fresh WHERE id = ?");
  fresh.start(trained.mark);
  while (fresh.next()) {
    // Each choice is derived from the seed, so that a crash before the commit does not change it.
    const std::uint64_t slot =
        count < replay_max ? count
                           : Random(derive_seed(trained.seed, "replay reservoir", count)).below(count + 1);
    ++count;
    if (slot < replay_max) keep.run(slot, trained.turn, fresh.column<std::int64_t>(0));
  }
  sqlite::Statement(database, "UPDATE fresh SET turn = ? WHERE turn IS NULL AND id <= ?")
      .run(trained.turn, trained.mark);
  // The operator may have made the reservoir smaller.
  sqlite::Statement(database, "DELETE FROM replay WHERE slot >= ?").run(replay_max);
  sqlite::Statement(database, "UPDATE trained SET count = ?").run(count);
}

}  // namespace hansa::client
