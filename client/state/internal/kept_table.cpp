#include "client/state/internal/kept_table.h"

#include <cstring>

#include <SQLiteCpp/SQLiteCpp.h>

#include "client/state/internal/sealed.h"

namespace hansa::client {

learning::KeptVectors find_kept(SQLite::Database& database, const Turn& turn, std::string_view scope) {
  const std::string prefix = std::string(scope) + "/";
  SQLite::Statement query(database,
                          "SELECT name, of, value FROM kept WHERE substr(name, 1, ?1) = ?2 AND turn = "
                          "(SELECT max(turn) FROM kept AS k WHERE k.name = kept.name AND k.turn <= ?3)");
  query.bind(1, static_cast<std::int64_t>(prefix.size()));
  query.bind(2, prefix);
  query.bind(3, turn.visible());
  learning::KeptVectors out;
  while (query.executeStep()) {
    learning::KeptVector& to = out[query.getColumn(0).getString().substr(prefix.size())];
    const SQLite::Column of = query.getColumn(1);
    const auto bytes = unsealed(query.getColumn(2));
    if (of.getBytes() != static_cast<int>(to.of.bytes.size()) || bytes.size() % sizeof(float) != 0)
      throw Damaged{"a vector is cut"};
    std::memcpy(to.of.bytes.data(), of.getBlob(), to.of.bytes.size());
    to.values.resize(bytes.size() / sizeof(float));
    if (!bytes.empty()) std::memcpy(to.values.data(), bytes.data(), bytes.size());
  }
  return out;
}

void undo_kept(SQLite::Database& database, std::int64_t turn) {
  SQLite::Statement undo(database, "DELETE FROM kept WHERE turn = ?");
  undo.bind(1, turn);
  undo.exec();
}

void settle_kept(SQLite::Database& database) {
  database.exec("DELETE FROM kept WHERE turn < (SELECT max(turn) FROM kept AS k WHERE k.name = kept.name)");
}

void insert_kept(SQLite::Database& database, const std::string& name, std::int64_t turn, const Digest& of,
                 std::span<const std::byte> values) {
  SQLite::Statement insert(database, "INSERT INTO kept VALUES (?, ?, ?, ?)");
  insert.bind(1, name);
  insert.bind(2, turn);
  bind_bytes(insert, 3, std::as_bytes(std::span(of.bytes)));
  bind_bytes(insert, 4, sealed(values));
  insert.exec();
}

}  // namespace hansa::client
