#include "server/register/internal/schema.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/sqlite/connection.h"

namespace hansa::server::internal {
namespace {

constexpr const char* tables = R"sql(
CREATE TABLE tokens (
  id      BLOB PRIMARY KEY,                -- 8 bytes
  hash    BLOB NOT NULL,                   -- SHA-256 of identifier and secret; the secret is stored nowhere
  label   TEXT NOT NULL,
  uses    INTEGER NOT NULL CHECK (uses >= 1),
  used    INTEGER NOT NULL CHECK (used >= 0 AND used <= uses),
  made    INTEGER NOT NULL,                -- seconds since 1970, UTC
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE devices (
  name      TEXT PRIMARY KEY,
  label     TEXT NOT NULL,
  state     TEXT NOT NULL,
  key       TEXT NOT NULL,                 -- Z85
  identity  BLOB NOT NULL,                 -- 32 bytes; zeros: an older file has none
  since     INTEGER NOT NULL,
  token     BLOB REFERENCES tokens(id),
  epoch     INTEGER,                       -- of the certificate, like the following ones
  issued    INTEGER,
  expires   INTEGER,
  signature BLOB,
  software  TEXT NOT NULL DEFAULT '',
  last_seen INTEGER,
  examples  INTEGER NOT NULL DEFAULT 0,
  counted   INTEGER NOT NULL DEFAULT 0,
  lost      INTEGER NOT NULL DEFAULT 0,
  lost_why  TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX devices_by_key ON devices(key);
CREATE TABLE audit (
  number  INTEGER PRIMARY KEY CHECK (number >= 1),
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  act     TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL,
  hash    BLOB NOT NULL                    -- chains the entries: hash_of()
);
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
)sql";

// Since 0.2.
constexpr const char* next_keys_table = R"sql(
CREATE TABLE IF NOT EXISTS next_keys (
  device    TEXT PRIMARY KEY REFERENCES devices(name),
  state     TEXT NOT NULL,
  key       TEXT NOT NULL,                 -- Z85
  identity  BLOB NOT NULL,                 -- 32 bytes
  since     INTEGER NOT NULL,
  epoch     INTEGER,                       -- of the certificate, like the following ones
  issued    INTEGER,
  expires   INTEGER,
  signature BLOB
) WITHOUT ROWID;
)sql";

// Since 0.2: what rounds have shown about the devices (device_history.h).
constexpr const char* history_tables = R"sql(
CREATE TABLE IF NOT EXISTS measures (
  name               TEXT PRIMARY KEY,
  examples_per_s     REAL,                 -- of its last counted training; NULL: not known
  upload_bytes_per_s REAL,                 -- of its last measured upload; NULL: not known
  bytes_up           INTEGER NOT NULL,     -- in all committed rounds
  bytes_down         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS losses (                      -- the last ones of each device
  id     INTEGER PRIMARY KEY,
  name   TEXT NOT NULL,
  run    TEXT NOT NULL,
  round  INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS losses_by_name ON losses(name, id);
CREATE TABLE IF NOT EXISTS standings (                   -- of devices with faults
  name             TEXT PRIMARY KEY,
  faults           INTEGER NOT NULL,
  counted_in_a_row INTEGER NOT NULL,
  left_out_until   INTEGER NOT NULL,       -- 0: it may take part
  released         INTEGER NOT NULL        -- 1: by the operator, and the aggregator does not know yet
) WITHOUT ROWID;
)sql";

}  // namespace

void create_register(SQLite::Database& database) {
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  if (sqlite::schema_version(database) == 0) {
    database.exec(tables);
    sqlite::set_schema_version(database, register_version);
  }
  database.exec(next_keys_table);
  database.exec(history_tables);
  transaction.commit();
}

}  // namespace hansa::server::internal
