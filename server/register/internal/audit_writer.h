// Appends entries to the audit log.
#pragma once
#include <string>

#include "server/register/device_register.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

struct AuditText {
  std::string act, subject, details;
};
// In the transaction of the act, which must be immediate: nobody else may append in between. Throws SQLite::Exception.
void append_audit(SQLite::Database& database, const Acting& acting, const AuditText& text);

}  // namespace hansa::server::internal
