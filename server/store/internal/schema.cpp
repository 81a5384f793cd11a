#include "server/store/internal/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/sqlite/connection.h"
#include "server/store/internal/history.h"

namespace hansa::server::internal {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE run (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  federation    TEXT NOT NULL,
  run           TEXT NOT NULL,
  seed          INTEGER NOT NULL,          -- uint64, as int64 of the same bits
  archive       BLOB NOT NULL,             -- digests: SHA-256, 32 bytes
  layout        BLOB NOT NULL,
  initial_model BLOB NOT NULL,
  started_from  TEXT NOT NULL
);
CREATE TABLE rounds (
  round      INTEGER PRIMARY KEY CHECK (round >= 1),
  model      BLOB NOT NULL,
  base       BLOB NOT NULL,
  started_at TEXT NOT NULL,                -- RFC 3339, UTC
  seconds    REAL,
  attempt    INTEGER NOT NULL
);
CREATE TABLE participations (
  round         INTEGER NOT NULL REFERENCES rounds(round),
  client        TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  reason        TEXT NOT NULL,
  examples      INTEGER NOT NULL,
  update_digest BLOB NOT NULL,             -- its checksum; empty when nothing was counted, SHA-256 in schema 1 and 2
  bytes_up      INTEGER NOT NULL,
  bytes_down    INTEGER NOT NULL,
  seconds       REAL,                      -- NULL is "not a number"
  train_seconds REAL,
  PRIMARY KEY (round, client)
) WITHOUT ROWID;
CREATE TABLE participation_metrics (
  round    INTEGER NOT NULL,
  client   TEXT NOT NULL,
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  sum      REAL,
  count    REAL,
  PRIMARY KEY (round, client, position),
  FOREIGN KEY (round, client) REFERENCES participations(round, client)
) WITHOUT ROWID;
CREATE TABLE evaluations (                 -- round 0: the initial model
  round INTEGER PRIMARY KEY CHECK (round >= 0)
);
CREATE TABLE evaluation_metrics (
  round    INTEGER NOT NULL REFERENCES evaluations(round) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  sum      REAL,
  count    REAL,
  PRIMARY KEY (round, position)
) WITHOUT ROWID;
)sql";

constexpr const char* added_by_2 = R"sql(
CREATE TABLE secure_sums (                 -- of rounds whose updates were summed securely
  round          INTEGER PRIMARY KEY REFERENCES rounds(round),
  neighbours     INTEGER NOT NULL,
  threshold      INTEGER NOT NULL,
  with_keys      INTEGER NOT NULL,
  recovered      INTEGER NOT NULL,
  value_bits     INTEGER NOT NULL,
  ring_bits      INTEGER NOT NULL,
  clip           REAL NOT NULL,
  next_clip      REAL NOT NULL,
  setup_seconds  REAL NOT NULL,
  unmask_seconds REAL NOT NULL,
  examples       INTEGER NOT NULL,
  scales         BLOB NOT NULL,            -- binary64, little-endian
  next_scales    BLOB NOT NULL
);
CREATE TABLE secure_sum_metrics (
  round    INTEGER NOT NULL REFERENCES secure_sums(round),
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  sum      REAL,
  count    REAL,
  PRIMARY KEY (round, position)
) WITHOUT ROWID;
)sql";

constexpr const char* added_by_3 = R"sql(
CREATE TABLE published (                   -- of rounds after which clients get another model than the round's
  round INTEGER PRIMARY KEY REFERENCES rounds(round),
  model BLOB NOT NULL,
  sum   BLOB NOT NULL,                     -- checksum of its vector
  step  BLOB NOT NULL                      -- SHA-256 of the encoded difference to what was published before
);
)sql";

// Schema 4 changed no table, but since then models are named by vector_digest. Before schema 5 `step` contained the
// bytes of the delta. Such rows are deleted, and the model is sent in full once.
constexpr const char* changed_by_5 = "DELETE FROM published";

// A round whose model_kept is 0 keeps its record; its model and its state vectors are removed after the transaction.
constexpr const char* changed_by_6 = R"sql(
ALTER TABLE rounds ADD COLUMN model_kept INTEGER NOT NULL DEFAULT 1;
ALTER TABLE published RENAME COLUMN step TO delta;
ALTER TABLE published ADD COLUMN vector BLOB;   -- names the published vector, where it is stored
CREATE TABLE initial_state (                    -- vectors that the run started with, in addition to the initial model
  position INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  vector   BLOB NOT NULL
);
CREATE TABLE round_state (                      -- vectors after a round, in addition to its model
  round    INTEGER NOT NULL REFERENCES rounds(round),
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  vector   BLOB NOT NULL,
  PRIMARY KEY (round, position)
) WITHOUT ROWID;
)sql";

constexpr const char* added_by_7 = R"sql(
CREATE TABLE history (                          -- digests of the rows above: history.h
  round  INTEGER PRIMARY KEY CHECK (round >= 0),  -- 0: the run's identity
  digest BLOB NOT NULL,
  seal   BLOB NOT NULL
);
)sql";

// row_digests.cpp covers the columns by queries of their own, so that the digests of schema 7 stay valid.
constexpr const char* changed_by_8 = R"sql(
ALTER TABLE run ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rounds ADD COLUMN update_norm REAL;  -- NULL: not known
CREATE TABLE abandoned_attempts (                -- no digest covers them
  id      INTEGER PRIMARY KEY,                   -- in the order of time
  round   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at      TEXT NOT NULL,                         -- RFC 3339, UTC
  reason  TEXT NOT NULL
);
CREATE TABLE run_end (                           -- no digest covers it
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  after_round INTEGER NOT NULL,
  at          TEXT NOT NULL,
  why         TEXT NOT NULL
);
)sql";

void add_newer_than(int version, SQLite::Database& database) {
  if (version < 2) database.exec(added_by_2);
  if (version < 3) database.exec(added_by_3);
  if (version < 5) database.exec(changed_by_5);
  if (version < 6) database.exec(changed_by_6);
  if (version < 8) database.exec(changed_by_8);
  if (version < 7) {
    database.exec(added_by_7);
    build_history(database);
  }
  sqlite::set_schema_version(database, newest_schema);
}

}  // namespace

void make_tables(SQLite::Database& database) {
  SQLite::Transaction transaction(database);
  database.exec(tables);
  add_newer_than(1, database);
  transaction.commit();
}

void migrate_tables(SQLite::Database& database, int from) {
  SQLite::Transaction transaction(database);
  add_newer_than(from, database);
  transaction.commit();
}

}  // namespace hansa::server::internal
