#include <algorithm>
#include <cstring>

#include <SQLiteCpp/SQLiteCpp.h>

#include "client/state/internal/example_bytes.h"
#include "client/state/internal/example_tables.h"
#include "client/state/internal/sealed.h"

namespace hansa::client {
namespace {

void keep_shape(SQLite::Database& database, const learning::ExampleShape& shape) {
  SQLite::Statement keep(database, "INSERT OR REPLACE INTO shape VALUES (1, ?)");
  bind_bytes(keep, 1, sealed(json_of(shape)));
  keep.exec();
}

Digest digest_in(const SQLite::Column& column) {
  Digest out;
  if (column.getBytes() != static_cast<int>(out.bytes.size())) throw Damaged{"a digest is cut"};
  std::memcpy(out.bytes.data(), column.getBlob(), out.bytes.size());
  return out;
}

// The shape of the examples held and of the arrival's. It may know more classes than before.
learning::ExampleShape common_shape(SQLite::Database& database, const learning::Arrival& arrival) {
  learning::ExampleShape shape = arrival.examples.shape;
  const auto held = read_shape(database);
  if (held) {
    if (held->input != shape.input || held->target != shape.target || held->target_kind != shape.target_kind)
      throw Refused{Error{ErrorCode::data, arrival.source,
                          "gives examples of " + text_of(shape) +
                              ", but the client's state holds examples of " + text_of(*held),
                          "set [data] as it was, or name another [client] state folder"}};
    shape.class_count = std::max(shape.class_count, held->class_count);
  }
  if (!held || shape.class_count != held->class_count) keep_shape(database, shape);
  return shape;
}

void add_examples(SQLite::Database& database, const learning::Arrival& arrival) {
  const std::size_t count = arrival.examples.count();
  if (count == 0) return;
  const ExampleBytes bytes(common_shape(database, arrival));
  SQLite::Statement insert(database, "INSERT INTO fresh (example) VALUES (?)");
  for (std::size_t i = 0; i < count; ++i) {
    bind_bytes(insert, 1, sealed(bytes.pack(arrival.examples, i)));
    insert.exec();
    insert.reset();
  }
}

}  // namespace

std::optional<learning::ExampleShape> read_shape(SQLite::Database& database) {
  SQLite::Statement query(database, "SELECT shape FROM shape");
  if (!query.executeStep()) return std::nullopt;
  return shape_of(unsealed_text(query.getColumn(0)));
}

std::optional<std::string> read_position(SQLite::Database& database, const std::string& source) {
  SQLite::Statement query(database, "SELECT position FROM sources WHERE source = ?");
  query.bind(1, source);
  if (!query.executeStep()) return std::nullopt;
  return unsealed_text(query.getColumn(0));
}

void add_arrival(SQLite::Database& database, const learning::Arrival& arrival) {
  add_examples(database, arrival);
  learning::MultisetDigest digest = arrival.digest;
  SQLite::Statement known(database, "SELECT digest FROM sources WHERE source = ?");
  known.bind(1, arrival.source);
  if (known.executeStep()) digest.add(digest_in(known.getColumn(0)));
  SQLite::Statement keep(database,
                         "INSERT INTO sources VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source) DO UPDATE SET "
                         "records = records + ?2, examples = examples + ?3, digest = ?4, position = ?5");
  keep.bind(1, arrival.source);
  keep.bind(2, static_cast<std::int64_t>(arrival.records));
  keep.bind(3, static_cast<std::int64_t>(arrival.examples.count()));
  bind_bytes(keep, 4, std::as_bytes(std::span(digest.value().bytes)));
  bind_bytes(keep, 5, sealed(arrival.position));
  keep.exec();
}

std::vector<ConsumedSource> read_consumed(SQLite::Database& database) {
  std::vector<ConsumedSource> out;
  SQLite::Statement query(database,
                          "SELECT source, records, examples, digest, position FROM sources ORDER BY source");
  while (query.executeStep()) {
    ConsumedSource one;
    one.source = query.getColumn(0).getString();
    one.records = static_cast<std::uint64_t>(query.getColumn(1).getInt64());
    one.examples = static_cast<std::uint64_t>(query.getColumn(2).getInt64());
    one.digest = learning::MultisetDigest(digest_in(query.getColumn(3)));
    one.position = unsealed_text(query.getColumn(4));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace hansa::client
