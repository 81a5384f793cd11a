#include "client/state/internal/schema.h"

#include <cstring>
#include <string>

#include "client/state/internal/kept_table.h"
#include "client/state/internal/opened_table.h"
#include "client/state/internal/sealed.h"
#include "common/digest.h"
#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"

namespace hansa::client {
namespace {

constexpr const char* example_tables = R"sql(
CREATE TABLE sources (
  source   TEXT PRIMARY KEY,
  records  INTEGER NOT NULL,
  examples INTEGER NOT NULL,
  digest   BLOB NOT NULL,      -- of all records: multiset_digest.h
  position BLOB NOT NULL       -- sealed JSON
) WITHOUT ROWID;
CREATE TABLE shape (           -- of all examples
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  shape BLOB NOT NULL          -- sealed JSON
);
CREATE TABLE fresh (           -- new examples, and those of the last applied task until another one is applied
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  turn    INTEGER,             -- of the task that was trained on it; NULL: new
  example BLOB NOT NULL        -- sealed: inputs as float32, then targets as float32 or int64, little-endian
);
CREATE TABLE trained (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL
);
INSERT INTO trained VALUES (1, 0);
)sql";

constexpr const char* replay_table = R"sql(
CREATE TABLE replay (
  slot    INTEGER NOT NULL,    -- 0 to replay_max - 1
  turn    INTEGER NOT NULL,    -- of the task that put the example there
  example BLOB NOT NULL,
  PRIMARY KEY (slot, turn)
);
)sql";

// So that examples are counted without reading them.
constexpr const char* fresh_index = "CREATE INDEX fresh_turn ON fresh (turn)";

// Version 3 did not record the grid: its sums count as ones of another grid.
constexpr const char* add_grid =
    "ALTER TABLE opened ADD COLUMN grid BLOB NOT NULL DEFAULT "
    "x'0000000000000000000000000000000000000000000000000000000000000000'";

void set_versions(SQLite::Database& database) {
  database.exec("PRAGMA application_id = " + std::to_string(application_id));
  sqlite::set_schema_version(database, schema_version);
}

// Version 1 stored personal layers as personal/ARCHIVE/LAYOUT, and a codec's residual after the digest to which it
// belongs. The reservoir had its own seed, and changes could not be undone.
void migrate_from_1(SQLite::Database& database) {
  database.exec("ALTER TABLE trained DROP COLUMN seed");
  database.exec("ALTER TABLE fresh ADD COLUMN turn INTEGER");
  database.exec(fresh_index);
  database.exec("ALTER TABLE replay RENAME TO replay_1");
  database.exec(replay_table);
  database.exec("INSERT INTO replay SELECT slot, 0, example FROM replay_1");
  database.exec("DROP TABLE replay_1");
  database.exec("ALTER TABLE kept RENAME TO kept_1");
  database.exec(kept_table);
  database.exec(turn_table);
  sqlite::Statement old(database, "SELECT key, value FROM kept_1");
  while (old.next()) {
    std::string key;
    Unsealed value;
    old.read(key, value);
    std::span<const std::byte> bytes = value.bytes;
    constexpr std::size_t hex = 2 * sizeof(Digest::bytes);
    const std::string personal = "personal/";
    Digest of;
    std::string name;
    if (key.starts_with(personal) && key.size() == personal.size() + 2 * hex + 1) {
      const std::string archive = key.substr(personal.size(), hex), layout = key.substr(key.size() - hex);
      name = "training/" + archive + "/" + personal + layout;
      if (const auto digest = parse_digest(layout)) of = *digest;
    } else if (key == "codec state" && bytes.size() >= of.bytes.size()) {
      name = "codec/residual";
      std::memcpy(of.bytes.data(), bytes.data(), of.bytes.size());
      bytes = bytes.subspan(of.bytes.size());
    } else {
      continue;
    }
    insert_kept(database, name, 0, of, bytes);
  }
  old.start();  // while the statement is open, the table cannot be dropped
  database.exec("DROP TABLE kept_1");
}

}  // namespace

void create_schema(SQLite::Database& database) {
  SQLite::Transaction transaction(database);
  database.exec(example_tables);
  database.exec(fresh_index);
  database.exec(replay_table);
  database.exec(kept_table);
  database.exec(turn_table);
  database.exec(staged_table);
  database.exec(opened_table);
  set_versions(database);
  transaction.commit();
}

void migrate_schema(SQLite::Database& database, int from_version) {
  if (from_version >= schema_version) return;
  try {
    SQLite::Transaction transaction(database);
    if (from_version < 2) migrate_from_1(database);
    if (from_version < 3) database.exec(opened_table);
    else if (from_version < 4) database.exec(add_grid);
    database.exec(staged_table);
    set_versions(database);
    transaction.commit();
  } catch (const SQLite::Exception& caught) {
    // If this version of SQLite refuses a statement, the file need not be damaged.
    if (sqlite::is_damage(caught)) throw;
    throw MigrationFailed{caught.what()};
  }
}

}  // namespace hansa::client
