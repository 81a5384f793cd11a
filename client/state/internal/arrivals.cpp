#include <algorithm>
#include <ranges>

#include "client/state/internal/example_bytes.h"
#include "client/state/internal/example_tables.h"
#include "client/state/internal/sealed.h"
#include "common/text.h"

namespace hansa::client {
namespace {

void keep_shape(SQLite::Database& database, const HeldShape& held) {
  const std::string json = json_of(held);
  sqlite::Statement(database, "INSERT OR REPLACE INTO shape VALUES (1, ?)").run(Sealed(json));
}

// held: what an arrival that does not say its names has.
HeldShape shape_of(const learning::Arrival& arrival, const std::optional<HeldShape>& held) {
  HeldShape out = held.value_or(HeldShape{});
  out.shape = arrival.examples.shape;
  if (!arrival.description) return out;
  out.columns = arrival.description->columns;
  out.label = arrival.description->label;
  out.classes = arrival.description->classes;
  return out;
}

[[noreturn]] void refuse(const learning::Arrival& arrival, std::string what, Reason reason) {
  throw Refused{Error{ErrorCode::data, arrival.source, std::move(what),
                      "set [data] as it was, or name another [client] state folder", std::move(reason)}};
}

// Examples whose columns have another order would be trained on together with those held.
void require_same_names(const HeldShape& held, const HeldShape& given, const learning::Arrival& arrival) {
  if (!held.columns.empty() && held.columns != given.columns) {
    const auto at = static_cast<std::size_t>(std::ranges::mismatch(held.columns, given.columns).in1 -
                                             held.columns.begin());
    const auto name = [at](const std::vector<std::string>& columns) {
      return at < columns.size() ? "\"" + printable(columns[at]) + "\"" : std::string("missing");
    };
    refuse(arrival,
           "column " + std::to_string(at + 1) + " is " + name(given.columns) +
               ", but in the examples of the client's state it is " + name(held.columns),
           {ReasonCode::columns_changed, {{Quantity::column, at + 1}}});
  }
  if (!held.label.empty() && held.label != given.label)
    refuse(arrival,
           "the label is \"" + printable(given.label) +
               "\", but that of the examples in the client's state is \"" + printable(held.label) + "\"",
           {ReasonCode::columns_changed, {}});
  // Classes may be added at the end.
  if (!std::ranges::equal(held.classes,
                          given.classes | std::views::take(static_cast<std::ptrdiff_t>(held.classes.size()))))
    refuse(arrival, "data.classes are not those of the examples in the client's state",
           {ReasonCode::columns_changed, {}});
}

// But for the number of classes, which may grow.
bool are_alike(const learning::ExampleShape& a, learning::ExampleShape b) {
  if (a.targets.size() != b.targets.size()) return false;
  for (std::size_t i = 0; i < a.targets.size(); ++i) b.targets[i].class_count = a.targets[i].class_count;
  return a == b;
}

// The shape of the examples held and of the arrival's. It may know more classes than before.
learning::ExampleShape common_shape(SQLite::Database& database, const learning::Arrival& arrival) {
  const auto held = read_shape(database);
  HeldShape given = shape_of(arrival, held);
  learning::ExampleShape& shape = given.shape;
  if (held) {
    const learning::ExampleShape& old = held->shape;
    if (!are_alike(old, shape))
      refuse(arrival,
             "gives examples of " + text_of(shape) + ", but the client's state holds examples of " +
                 text_of(old),
             {ReasonCode::shape_changed, {}});
    require_same_names(*held, given, arrival);
    for (std::size_t i = 0; i < shape.targets.size(); ++i)
      shape.targets[i].class_count = std::max(shape.targets[i].class_count, old.targets[i].class_count);
  }
  if (!held || held->shape != shape || held->columns != given.columns || held->label != given.label ||
      held->classes != given.classes)
    keep_shape(database, given);
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

std::optional<HeldShape> read_shape(SQLite::Database& database) {
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
