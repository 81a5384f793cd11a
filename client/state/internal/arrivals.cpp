#include <algorithm>

#include "client/state/internal/example_bytes.h"
#include "client/state/internal/example_tables.h"
#include "client/state/internal/sealed.h"

namespace hansa::client {
namespace {

void keep_shape(SQLite::Database& database, const learning::ExampleShape& shape) {
  const std::string json = json_of(shape);
  sqlite::Statement(database, "INSERT OR REPLACE INTO shape VALUES (1, ?)").run(Sealed(json));
}

// The shape of the examples held and of the arrival's. It may know more classes than before.
learning::ExampleShape common_shape(SQLite::Database& database, const learning::Arrival& arrival) {
  learning::ExampleShape shape = arrival.examples.shape;
  const auto held = read_shape(database);
  if (held) {
    if (held->input != shape.input || held->target != shape.target || held->target_kind != shape.target_kind)
      throw Refused{Error{ErrorCode::data,
                          arrival.source,
                          "gives examples of " + text_of(shape) +
                              ", but the client's state holds examples of " + text_of(*held),
                          "set [data] as it was, or name another [client] state folder",
                          {ReasonCode::shape_changed, {}}}};
    shape.class_count = std::max(shape.class_count, held->class_count);
  }
  if (!held || shape.class_count != held->class_count) keep_shape(database, shape);
  return shape;
}

void add_examples(SQLite::Database& database, const learning::Arrival& arrival) {
  const std::size_t count = arrival.examples.count();
  if (count == 0) return;
  const ExampleBytes bytes(common_shape(database, arrival));
  sqlite::Statement insert(database, "INSERT INTO fresh (example) VALUES (?)");
  for (std::size_t i = 0; i < count; ++i) insert.run(Sealed(bytes.pack(arrival.examples, i)));
}

}  // namespace

std::optional<learning::ExampleShape> read_shape(SQLite::Database& database) {
  sqlite::Statement query(database, "SELECT shape FROM shape");
  if (!query.next()) return std::nullopt;
  return shape_of(query.column<Unsealed>(0).text());
}

std::optional<std::string> read_position(SQLite::Database& database, const std::string& source) {
  sqlite::Statement query(database, "SELECT position FROM sources WHERE source = ?");
  if (!query.start(source).next()) return std::nullopt;
  return query.column<Unsealed>(0).text();
}

void add_arrival(SQLite::Database& database, const learning::Arrival& arrival) {
  add_examples(database, arrival);
  learning::MultisetDigest digest = arrival.digest;
  sqlite::Statement known(database, "SELECT digest FROM sources WHERE source = ?");
  if (known.start(arrival.source).next()) digest.add(known.column<Digest>(0));
  sqlite::Statement(database,
                    "INSERT INTO sources VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source) DO UPDATE SET "
                    "records = records + ?2, examples = examples + ?3, digest = ?4, position = ?5")
      .run(arrival.source, arrival.records, arrival.examples.count(), digest.value(),
           Sealed(arrival.position));
}

std::vector<ConsumedSource> read_consumed(SQLite::Database& database) {
  std::vector<ConsumedSource> out;
  sqlite::Statement query(database,
                          "SELECT source, records, examples, digest, position FROM sources ORDER BY source");
  while (query.next()) {
    ConsumedSource one;
    Digest digest;
    Unsealed position;
    query.read(one.source, one.records, one.examples, digest, position);
    one.digest = learning::MultisetDigest(digest);
    one.position = position.text();
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace hansa::client
