#include "server/store/internal/history.h"

#include "common/sqlite/statement.h"
#include "server/store/internal/round_tables.h"
#include "server/store/internal/row_digests.h"

namespace hansa::server::internal {
namespace {

using sqlite::Statement;

std::optional<Digest> digest_of(SQLite::Database& database, RoundId round) {
  Statement query(database, "SELECT digest FROM history WHERE round = ?");
  if (!query.start(round).next()) return std::nullopt;
  return query.column<Digest>(0);
}

bool any(SQLite::Database& database, const char* query) { return Statement(database, query).next(); }

void insert(SQLite::Database& database, RowDigests& rows, RoundId round, Digest& last) {
  last = rows.content(round, last);
  Statement(database, "INSERT INTO history VALUES (?, ?, ?)").run(round, last, rows.seal(round, last));
}

class Check {
 public:
  explicit Check(SQLite::Database& database) : database_(database), rows_(database) {}

  HistoryCheck run(RoundId first) {
    const bool begun = any(database_, "SELECT 1 FROM run");
    const RoundId last = read_last_round(database_);
    if (!begun) {
      if (any(database_, "SELECT 1 FROM rounds") || any(database_, "SELECT 1 FROM history"))
        report("the identity of the run is lost");
      return std::move(out_);
    }
    Statement entries(database_, "SELECT round, digest, seal FROM history ORDER BY round");
    std::uint64_t next = 0;
    while (entries.next()) {
      RoundId round;
      Digest digest, seal;
      entries.read(round, digest, seal);
      if (round.value != next) {
        report("the digest of round " + std::to_string(next) + " is lost");
        next = round.value;
      }
      check(round, digest, seal, first);
      ++next;
      out_.last = digest;
    }
    if (next != std::uint64_t{last.value} + 1)
      report("the last round is " + std::to_string(last.value) + ", and there are digests of " +
             std::to_string(next) + " rounds, with round 0");
    Statement count(database_, "SELECT count(*) FROM rounds");
    if (!count.next() || count.column<std::uint64_t>(0) != last.value) report("a round is lost");
    return std::move(out_);
  }

 private:
  void report(std::string problem) {
    if (out_.problems.size() < HistoryCheck::problems_max) out_.problems.push_back(std::move(problem));
  }
  void check(RoundId round, const Digest& digest, const Digest& seal, RoundId first) {
    const std::string name =
        round.value == 0 ? "the run's identity" : "the rows of round " + std::to_string(round.value);
    const bool in_full = round >= first || round.value == 0;
    if (in_full && rows_.content(round, out_.last) != digest) report(name + ": does not match its digest");
    else if (rows_.seal(round, digest) != seal)
      report(name + ": the model, its state, what was published or the evaluation does not match its seal");
  }

  SQLite::Database& database_;
  RowDigests rows_;
  HistoryCheck out_;
};

}  // namespace

void append_history(SQLite::Database& database, RoundId round) {
  RowDigests rows(database);
  Digest last;
  if (round.value > 0) last = digest_of(database, RoundId{round.value - 1}).value_or(Digest{});
  insert(database, rows, round, last);
}

void renew_seals(SQLite::Database& database, const std::vector<RoundId>& rounds) {
  if (rounds.empty()) return;
  RowDigests rows(database);
  Statement update(database, "UPDATE history SET seal = ? WHERE round = ?");
  for (const RoundId round : rounds)
    if (const auto digest = digest_of(database, round)) update.run(rows.seal(round, *digest), round);
}

void build_history(SQLite::Database& database) {
  if (!any(database, "SELECT 1 FROM run")) return;
  RowDigests rows(database);
  Digest last;
  insert(database, rows, RoundId{0}, last);
  Statement rounds(database, "SELECT round FROM rounds ORDER BY round");
  std::vector<RoundId> all;
  while (rounds.next()) all.push_back(rounds.column<RoundId>(0));
  for (const RoundId round : all) insert(database, rows, round, last);
}

HistoryCheck check_history(SQLite::Database& database, RoundId first) {
  SQLite::Transaction snapshot(database);
  return Check(database).run(first);
}

bool identity_matches(SQLite::Database& database) {
  SQLite::Transaction snapshot(database);
  RowDigests rows(database);
  const auto digest = digest_of(database, RoundId{0});
  return digest && rows.content(RoundId{0}, Digest{}) == *digest;
}

}  // namespace hansa::server::internal
