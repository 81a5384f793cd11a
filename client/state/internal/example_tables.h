// The tables of a client's examples: what arrived, what is new, and the reservoir.
//
// Functions on an open database; those that change it run inside the caller's transaction. They throw
// SQLite::Exception, Damaged or Refused.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/state/internal/example_bytes.h"
#include "client/state/internal/turns.h"
#include "client/state/state_store.h"

namespace hansa::client {

// arrivals.cpp
[[nodiscard]] std::optional<std::string> read_position(SQLite::Database& database, const std::string& source);
void add_arrival(SQLite::Database& database, const learning::Arrival& arrival);
[[nodiscard]] std::vector<ConsumedSource> read_consumed(SQLite::Database& database);
[[nodiscard]] std::optional<HeldShape> read_shape(SQLite::Database& database);

// reservoir.cpp
[[nodiscard]] ExampleCounts count_examples(SQLite::Database& database);
[[nodiscard]] ExampleSnapshot read_examples(SQLite::Database& database, const Turn& turn,
                                            const std::string& location);
// undo_examples() reverts the changes of the turn. settle_examples() deletes what earlier turns replaced.
void undo_examples(SQLite::Database& database, std::int64_t turn);
void settle_examples(SQLite::Database& database);
struct Trained {
  std::uint64_t mark;  // the last of the new examples
  std::uint64_t seed;  // of the random choices
  std::uint64_t replay_max;  // size of the reservoir
  std::int64_t turn;
};
// Passes the examples through the reservoir.
void move_to_reservoir(SQLite::Database& database, const Trained& trained);

}  // namespace hansa::client
