#include "server/register/internal/audit_writer.h"

#include "common/sqlite/statement.h"

namespace hansa::server::internal {

void append_audit(SQLite::Database& database, const Acting& acting, const AuditText& text) {
  AuditEntry entry{1, acting.at, acting.actor, text.act, text.subject, text.details, {}};
  Digest before;
  sqlite::Statement last(database, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
  last.start();
  if (last.next()) {
    last.read(entry.number, before);
    ++entry.number;
  }
  entry.hash = hash_of(entry, before);
  sqlite::Statement(database, "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(entry.number, entry.at.value, entry.actor, entry.act, entry.subject, entry.details, entry.hash);
}

}  // namespace hansa::server::internal
