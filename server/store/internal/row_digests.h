// SHA-256 over the cells of a round's rows, as SQLite stores them: history.h. Throws SQLite::Exception.
//
// The hashed bytes are, for each query in order: 'Q', and for each row 'R' and its cells. A cell is 'N' (NULL); 'I' or
// 'F' and 8 bytes; 'T' or 'B', the number of bytes in 8 bytes, and the bytes. Numbers are little-endian, floats binary64.
// The queries of columns that schema 8 added come last, and only those that return a row are hashed: digests of schema 7
// stay valid.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/digest.h"
#include "common/identifiers.h"

namespace hansa::server::internal {

// Prepares its queries once, for many rounds. One thread at a time.
class RowDigests {
 public:
  explicit RowDigests(SQLite::Database& database);

  // Of the rows of the round that never change, and the digest of the round before; a zero digest before round 0.
  [[nodiscard]] Digest content(RoundId round, const Digest& before);
  // Of the rows of the round that may change, and its content's digest.
  [[nodiscard]] Digest seal(RoundId round, const Digest& content);

 private:
  enum class Hashed : std::uint8_t { always, with_rows };
  struct Query {
    SQLite::Statement statement;
    Hashed hashed;
  };
  [[nodiscard]] Digest digest_of(std::string_view label, RoundId round, const Digest& first,
                                 std::vector<Query>& queries);
  std::vector<Query> content_;
  std::vector<Query> seal_;
};

}  // namespace hansa::server::internal
