// The table of vectors by name. Functions on an open database; they throw SQLite::Exception or Damaged.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "client/state/internal/turns.h"
#include "common/digest.h"
#include "learning/kept_vectors.h"

namespace hansa::client {

inline constexpr const char* kept_table = R"sql(
CREATE TABLE kept (
  name  TEXT NOT NULL,         -- SCOPE/NAME
  turn  INTEGER NOT NULL,
  of    BLOB NOT NULL,         -- digest of what it belongs to
  value BLOB NOT NULL,         -- sealed float32, little-endian
  PRIMARY KEY (name, turn)
);
)sql";

// DeviceLedger::find().
[[nodiscard]] learning::KeptVectors find_kept(SQLite::Database& database, const Turn& turn,
                                              std::string_view scope);
// undo_kept() reverts the changes of the turn. settle_kept() deletes what turns up to this one replaced.
void undo_kept(SQLite::Database& database, std::int64_t turn);
void settle_kept(SQLite::Database& database, std::int64_t turn);
void insert_kept(SQLite::Database& database, const std::string& name, std::int64_t turn, const Digest& of,
                 std::span<const std::byte> values);

}  // namespace hansa::client
