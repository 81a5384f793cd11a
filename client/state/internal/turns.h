// The turns of applied tasks, by which the last one can be undone.
//
// Each applied task has a turn. Its changes are new rows of that turn, and the rows that they replace stay until
// another task is applied. So a repeated task finds the rows from before its turn, without any copies. The vectors of
// staged changes are rows of the next turn already.
#pragma once
#include <cstdint>
#include <optional>

#include "common/identifiers.h"

namespace SQLite {
class Database;
}

namespace hansa::client {

inline constexpr const char* turn_table = R"sql(
CREATE TABLE ledger (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  task INTEGER,                -- the last applied; NULL: none
  turn INTEGER NOT NULL        -- its turn
);
INSERT INTO ledger VALUES (1, NULL, 0);
)sql";

inline constexpr const char* staged_table = R"sql(
CREATE TABLE staged (          -- changes that are applied if the update of their task counts
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  task INTEGER NOT NULL,
  seed INTEGER NOT NULL,       -- uint64, as int64 of the same bits
  mark INTEGER NOT NULL        -- StagedChanges::data_mark
);
)sql";

enum class Asked : std::uint8_t { first, again };

// The relation of a task to the one that was applied last.
struct Turn {
  std::int64_t last = 0;  // turn of the task that was applied last
  Asked asked = Asked::first;  // again: it is the same task
  // The last turn whose changes the task finds.
  [[nodiscard]] std::int64_t visible() const { return asked == Asked::again ? last - 1 : last; }
  // Of the changes that are staged, and of the next task that is applied.
  [[nodiscard]] std::int64_t next() const { return last + 1; }
};
// Throws SQLite::Exception or Damaged.
[[nodiscard]] Turn turn_of(SQLite::Database& database, TaskId task);
void set_turn(SQLite::Database& database, TaskId task, std::int64_t turn);

// Staged changes without their vectors.
struct StagedTask {
  TaskId task;
  std::uint64_t seed = 0;
  std::uint64_t mark = 0;
};
[[nodiscard]] std::optional<StagedTask> read_staged(SQLite::Database& database);
void put_staged(SQLite::Database& database, const StagedTask& staged);
void delete_staged(SQLite::Database& database);

}  // namespace hansa::client
