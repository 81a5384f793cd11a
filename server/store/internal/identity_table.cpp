#include "server/store/internal/identity_table.h"

#include "common/sqlite/connection.h"
#include "common/sqlite/statement.h"
#include "server/store/internal/schema.h"

namespace hansa::server::internal {

std::optional<RunIdentity> read_identity(SQLite::Database& database, int schema) {
  SQLite::Transaction snapshot(database);
  sqlite::Statement query(
      database, "SELECT federation, run, seed, archive, layout, initial_model, started_from FROM run");
  if (!query.next()) return std::nullopt;
  RunIdentity out;
  query.read(out.federation, out.run, out.seed, out.archive, out.layout, out.initial_model, out.started_from);
  if (schema >= schema_with_kind && sqlite::number_of(database, "SELECT simulated FROM run") != 0)
    out.kind = RunKind::simulated;
  if (schema < schema_with_state) return out;
  sqlite::Statement state(database, "SELECT name, vector FROM initial_state ORDER BY position");
  while (state.next()) {
    StateVector& vector = out.initial_state.emplace_back();
    state.read(vector.name, vector.vector);
  }
  return out;
}

void insert_identity(SQLite::Database& database, const RunIdentity& identity) {
  sqlite::Statement(database, "INSERT INTO run VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(identity.federation, identity.run, identity.seed, identity.archive, identity.layout,
           identity.initial_model, identity.started_from, identity.kind == RunKind::simulated ? 1 : 0);
  sqlite::Statement state(database, "INSERT INTO initial_state VALUES (?, ?, ?)");
  for (std::size_t i = 0; i < identity.initial_state.size(); ++i)
    state.run(i, identity.initial_state[i].name, identity.initial_state[i].vector);
}

}  // namespace hansa::server::internal
