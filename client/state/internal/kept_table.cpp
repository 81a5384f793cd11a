#include "client/state/internal/kept_table.h"

#include <cstring>

#include "client/state/internal/sealed.h"

namespace hansa::client {

learning::KeptVectors find_kept(SQLite::Database& database, const Turn& turn, std::string_view scope) {
  const std::string prefix = std::string(scope) + "/";
  sqlite::Statement query(database,
                          "SELECT name, of, value FROM kept WHERE substr(name, 1, ?1) = ?2 AND turn = "
                          "(SELECT max(turn) FROM kept AS k WHERE k.name = kept.name AND k.turn <= ?3)");
  query.start(prefix.size(), prefix, turn.visible());
  learning::KeptVectors out;
  while (query.next()) {
    std::string name;
    Digest of;
    Unsealed value;
    query.read(name, of, value);
    if (value.bytes.size() % sizeof(float) != 0) throw Damaged{"a vector is cut"};
    std::vector<float> values(value.bytes.size() / sizeof(float));
    if (!value.bytes.empty()) std::memcpy(values.data(), value.bytes.data(), value.bytes.size());
    out.emplace(name.substr(prefix.size()), learning::KeptVector(of, std::move(values)));
  }
  return out;
}

void undo_kept(SQLite::Database& database, std::int64_t turn) {
  sqlite::Statement(database, "DELETE FROM kept WHERE turn = ?").run(turn);
}

void settle_kept(SQLite::Database& database, std::int64_t turn) {
  sqlite::Statement(database,
                    "DELETE FROM kept WHERE turn < "
                    "(SELECT max(turn) FROM kept AS k WHERE k.name = kept.name AND k.turn <= ?)")
      .run(turn);
}

void insert_kept(SQLite::Database& database, const std::string& name, std::int64_t turn, const Digest& of,
                 std::span<const std::byte> values) {
  sqlite::Statement(database, "INSERT INTO kept VALUES (?, ?, ?, ?)").run(name, turn, of, Sealed(values));
}

}  // namespace hansa::client
