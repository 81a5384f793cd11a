#include "common/sqlite/guard.h"

#include <string>

#include <sqlite3.h>

namespace hansa::sqlite {

bool is_damage(const SQLite::Exception& caught) {
  const int code = caught.getErrorCode();
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_FORMAT;
}

Error error_of(const std::filesystem::path& file, const char* doing, const SQLite::Exception& caught) {
  Error error{ErrorCode::storage, file.string(), std::string(doing) + " failed (" + caught.what() + ")", ""};
  if (caught.getErrorCode() == SQLITE_FULL)
    error.hint = "free some space; nothing that was committed is lost";
  if (is_damage(caught)) error.hint = "restore it from a copy";
  return error;
}

}  // namespace hansa::sqlite
