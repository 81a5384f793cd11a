#include "server/store/internal/row_digests.h"

#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/sqlite/connection.h"

namespace hansa::server::internal {
namespace {

// Each has one parameter, the round.
constexpr std::array content_queries{
    "SELECT federation, run, seed, archive, layout, initial_model, started_from FROM run WHERE ? = 0",
    "SELECT position, name, vector FROM initial_state WHERE ? = 0 ORDER BY position",
    "SELECT model, base, started_at, seconds, attempt FROM rounds WHERE round = ?",
    "SELECT client, outcome, reason, examples, update_digest, bytes_up, bytes_down, seconds, train_seconds"
    " FROM participations WHERE round = ? ORDER BY client",
    "SELECT client, position, name, sum, count FROM participation_metrics WHERE round = ?"
    " ORDER BY client, position",
    "SELECT neighbours, threshold, with_keys, recovered, value_bits, ring_bits, clip, next_clip,"
    " setup_seconds, unmask_seconds, examples, scales, next_scales FROM secure_sums WHERE round = ?",
    "SELECT position, name, sum, count FROM secure_sum_metrics WHERE round = ? ORDER BY position",
    "SELECT position, name, vector FROM round_state WHERE round = ? ORDER BY position",
};
// Of columns that a later schema added. Hashed only where they return a row, so that the digests of older runs hold.
struct AddedQuery {
  const char* table;
  const char* column;
  const char* text;
};
constexpr std::array added_content_queries{
    AddedQuery{"run", "simulated", "SELECT 'simulated' FROM run WHERE ? = 0 AND simulated <> 0"},
    AddedQuery{"rounds", "update_norm",
               "SELECT update_norm FROM rounds WHERE round = ? AND update_norm IS NOT NULL"},
};
constexpr std::array seal_queries{
    "SELECT archive, layout, initial_model FROM run WHERE ? = 0",
    "SELECT vector FROM initial_state WHERE ? = 0 ORDER BY position",
    "SELECT model, base, model_kept FROM rounds WHERE round = ?",
    "SELECT vector FROM round_state WHERE round = ? ORDER BY position",
    "SELECT model, sum, delta, vector FROM published WHERE round = ?",
    "SELECT round FROM evaluations WHERE round = ?",
    "SELECT position, name, sum, count FROM evaluation_metrics WHERE round = ? ORDER BY position",
};

void add_number(Sha256& hash, std::uint64_t number) {
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(number >> (8 * i));
  hash.update(bytes);
}

void add_mark(Sha256& hash, char mark) {
  const auto byte = static_cast<std::byte>(mark);
  hash.update({&byte, 1});
}

void add_cell(Sha256& hash, const SQLite::Column& cell) {
  if (cell.isNull()) return add_mark(hash, 'N');
  if (cell.isInteger()) {
    add_mark(hash, 'I');
    return add_number(hash, static_cast<std::uint64_t>(cell.getInt64()));
  }
  if (cell.isFloat()) {
    add_mark(hash, 'F');
    return add_number(hash, std::bit_cast<std::uint64_t>(cell.getDouble()));
  }
  add_mark(hash, cell.isText() ? 'T' : 'B');
  const void* bytes = cell.getBlob();
  const auto size = static_cast<std::size_t>(cell.getBytes());
  add_number(hash, size);
  if (size > 0) hash.update({static_cast<const std::byte*>(bytes), size});
}

}  // namespace

RowDigests::RowDigests(SQLite::Database& database) {
  for (const char* query : content_queries) content_.push_back({{database, query}, Hashed::always});
  for (const AddedQuery& query : added_content_queries)
    // A run of an older schema that is open for reading lacks it.
    if (sqlite::has_column(database, query.table, query.column))
      content_.push_back({{database, query.text}, Hashed::with_rows});
  for (const char* query : seal_queries) seal_.push_back({{database, query}, Hashed::always});
}

Digest RowDigests::digest_of(std::string_view label, RoundId round, const Digest& first,
                             std::vector<Query>& queries) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(label)));
  add_number(hash, round.value);
  hash.update(std::as_bytes(std::span(first.bytes)));
  for (auto& [query, hashed] : queries) {
    query.reset();
    query.bind(1, static_cast<std::int64_t>(round.value));
    bool begun = hashed == Hashed::always;
    if (begun) add_mark(hash, 'Q');
    while (query.executeStep()) {
      if (!std::exchange(begun, true)) add_mark(hash, 'Q');
      add_mark(hash, 'R');
      for (int i = 0; i < query.getColumnCount(); ++i) add_cell(hash, query.getColumn(i));
    }
    query.reset();  // ends its read of the database
  }
  return hash.finish();
}

Digest RowDigests::content(RoundId round, const Digest& before) {
  return digest_of("hansa history 1", round, before, content_);
}

Digest RowDigests::seal(RoundId round, const Digest& content) {
  return digest_of("hansa seal 1", round, content, seal_);
}

}  // namespace hansa::server::internal
