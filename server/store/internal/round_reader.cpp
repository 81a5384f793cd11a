#include <cstring>
#include <string>

#include "common/sqlite/statement.h"
#include "server/store/internal/round_tables.h"
#include "server/store/internal/schema.h"

namespace hansa::server::internal {
namespace {

using sqlite::Statement;

Outcome outcome_of(const std::string& text) {
  for (const Outcome outcome : {Outcome::counted, Outcome::no_answer, Outcome::disconnected,
                                Outcome::declined, Outcome::rejected, Outcome::late})
    if (text == name(outcome)) return outcome;
  return Outcome::no_answer;
}

// Finds the record for the round of each row of a table. Rows and records are in the order of the rounds.
class Merge {
 public:
  explicit Merge(std::vector<RoundRecord>& records) : records_(records) {}
  // The record of the round; null if there is none.
  [[nodiscard]] RoundRecord* at(RoundId round) {
    while (next_ < records_.size() && records_[next_].round < round) ++next_;
    return next_ < records_.size() && records_[next_].round == round ? &records_[next_] : nullptr;
  }

 private:
  std::vector<RoundRecord>& records_;
  std::size_t next_ = 0;
};

// A range of rounds in a database.
struct Range {
  SQLite::Database& database;
  RoundId first;
  RoundId last;
  [[nodiscard]] Statement select(const char* text) const {
    Statement query(database, text);
    query.start(first, last);
    return query;
  }
};

std::vector<RoundRecord> read_records(const Range& range, int schema) {
  const std::string added = schema >= schema_with_kind    ? "model_kept, update_norm"
                            : schema >= schema_with_state ? "model_kept, NULL"
                                                          : "1, NULL";
  const std::string text = "SELECT round, model, base, started_at, seconds, attempt, " + added +
                           " FROM rounds WHERE round BETWEEN ? AND ? ORDER BY round";
  Statement rows = range.select(text.c_str());
  std::vector<RoundRecord> out;
  while (rows.next()) {
    RoundRecord& record = out.emplace_back();
    rows.read(record.round, record.model, record.base, record.started_at, record.seconds, record.attempt,
              record.model_kept, record.update_norm);
  }
  return out;
}

void read_participations(const Range& range, std::vector<RoundRecord>& records) {
  Statement rows = range.select(
      "SELECT round, client, outcome, reason, examples, update_digest, bytes_up, bytes_down, seconds, "
      "train_seconds FROM participations WHERE round BETWEEN ? AND ? ORDER BY round, client");
  Merge merge(records);
  RoundId round;
  std::string outcome;
  std::vector<std::byte> update;
  while (rows.next()) {
    Participation p;
    rows.read(round, p.client, outcome, p.reason, p.examples, update, p.bytes_up, p.bytes_down, p.seconds,
              p.train_seconds);
    p.outcome = outcome_of(outcome);
    // The column is empty, a checksum, or, in an early schema, a SHA-256, which is ignored.
    if (update.size() == p.update.bytes.size())
      std::memcpy(p.update.bytes.data(), update.data(), update.size());
    if (RoundRecord* record = merge.at(round)) record->participations.push_back(std::move(p));
  }
}

void read_participation_metrics(const Range& range, std::vector<RoundRecord>& records) {
  Statement rows = range.select(
      "SELECT round, client, name, sum, count FROM participation_metrics WHERE round BETWEEN ? AND ?"
      " ORDER BY round, client, position");
  Merge merge(records);
  const RoundRecord* current = nullptr;
  std::size_t member = 0;
  RoundId round;
  std::string client;
  while (rows.next()) {
    Metric metric;
    rows.read(round, client, metric.name, metric.sum, metric.count);
    RoundRecord* record = merge.at(round);
    if (record == nullptr) continue;
    if (record != current) member = 0;
    current = record;
    auto& members = record->participations;
    while (member < members.size() && members[member].client < client) ++member;
    if (member < members.size() && members[member].client == client)
      members[member].metrics.push_back(std::move(metric));
  }
}

void read_secure_sums(const Range& range, std::vector<RoundRecord>& records) {
  Statement rows = range.select(
      "SELECT round, neighbours, threshold, with_keys, recovered, value_bits, ring_bits, clip, next_clip, "
      "setup_seconds, unmask_seconds, examples, scales, next_scales FROM secure_sums"
      " WHERE round BETWEEN ? AND ? ORDER BY round");
  Merge merge(records);
  RoundId round;
  while (rows.next()) {
    SecureSumRecord s;
    rows.read(round, s.neighbours, s.threshold, s.with_keys, s.recovered, s.value_bits, s.ring_bits, s.clip,
              s.next_clip, s.setup_seconds, s.unmask_seconds, s.examples, s.scales, s.next_scales);
    if (RoundRecord* record = merge.at(round)) record->secure = std::move(s);
  }
}

void read_secure_sum_metrics(const Range& range, std::vector<RoundRecord>& records) {
  Statement rows = range.select(
      "SELECT round, name, sum, count FROM secure_sum_metrics WHERE round BETWEEN ? AND ?"
      " ORDER BY round, position");
  Merge merge(records);
  RoundId round;
  while (rows.next()) {
    Metric metric;
    rows.read(round, metric.name, metric.sum, metric.count);
    RoundRecord* record = merge.at(round);
    if (record != nullptr && record->secure) record->secure->metrics.push_back(std::move(metric));
  }
}

void read_state(const Range& range, std::vector<RoundRecord>& records) {
  Statement rows = range.select(
      "SELECT round, name, vector FROM round_state WHERE round BETWEEN ? AND ? ORDER BY round, position");
  Merge merge(records);
  RoundId round;
  while (rows.next()) {
    StateVector vector;
    rows.read(round, vector.name, vector.vector);
    if (RoundRecord* record = merge.at(round)) record->state.push_back(std::move(vector));
  }
}

}  // namespace

RoundId read_last_round(SQLite::Database& database) {
  Statement query(database, "SELECT coalesce(max(round), 0) FROM rounds");
  return query.next() ? query.column<RoundId>(0) : RoundId{};
}

std::optional<Digest> read_round_model(SQLite::Database& database, RoundId round) {
  Statement query(database, "SELECT model FROM rounds WHERE round = ?");
  if (!query.start(round).next()) return std::nullopt;
  return query.column<Digest>(0);
}

std::vector<RoundRecord> read_rounds(SQLite::Database& database, int schema, RoundId first, RoundId last) {
  // One transaction, so that all queries see the same rounds while a writer adds more.
  SQLite::Transaction snapshot(database);
  const Range range{database, first, last};
  std::vector<RoundRecord> records = read_records(range, schema);
  read_participations(range, records);
  read_participation_metrics(range, records);
  if (schema >= schema_with_secure_sums) {
    read_secure_sums(range, records);
    read_secure_sum_metrics(range, records);
  }
  if (schema >= schema_with_state) read_state(range, records);
  return records;
}

// Goes back from the last round, with a look into the primary key for each.
std::vector<ClientRound> read_client_rounds(SQLite::Database& database, const std::string& client,
                                            std::size_t most) {
  std::vector<ClientRound> out;
  Statement rows(database,
                 "SELECT r.round, r.started_at, p.outcome, p.reason, p.examples, p.seconds FROM rounds r"
                 " CROSS JOIN participations p ON p.round = r.round AND p.client = ?"
                 " ORDER BY r.round DESC LIMIT ?");
  rows.start(client, most);
  std::string outcome;
  while (rows.next()) {
    ClientRound& row = out.emplace_back();
    rows.read(row.round, row.started_at, outcome, row.reason, row.examples, row.seconds);
    row.outcome = outcome_of(outcome);
  }
  return out;
}

std::vector<RoundId> read_rounds_without_model(SQLite::Database& database, int schema) {
  std::vector<RoundId> out;
  if (schema < schema_with_state) return out;
  Statement rows(database, "SELECT round FROM rounds WHERE model_kept = 0 ORDER BY round");
  while (rows.next()) out.push_back(rows.column<RoundId>(0));
  return out;
}

std::optional<Published> read_published(SQLite::Database& database, int schema, RoundId round) {
  if (schema < schema_with_delta_files) return std::nullopt;
  Statement query(database, schema >= schema_with_state
                                ? "SELECT model, sum, delta, vector FROM published WHERE round = ?"
                                : "SELECT model, sum, step, NULL FROM published WHERE round = ?");
  if (!query.start(round).next()) return std::nullopt;
  Published out;
  query.read(out.model, out.check, out.delta, out.vector);
  return out;
}

std::vector<HeldRound> read_held_rounds(SQLite::Database& database) {
  std::vector<HeldRound> out;
  Statement rows(database,
                 "SELECT r.round, r.model, r.model_kept, p.model, p.sum, p.delta, p.vector FROM rounds r"
                 " LEFT JOIN published p ON p.round = r.round"
                 " WHERE r.model_kept OR p.round IS NOT NULL ORDER BY r.round");
  Statement state(database, "SELECT vector FROM round_state WHERE round = ? ORDER BY position");
  while (rows.next()) {
    HeldRound& held = out.emplace_back();
    Digest model;
    bool kept = false;
    std::optional<Digest> published;
    Published found;
    rows.read(held.round, model, kept, published, found.check, found.delta, found.vector);
    if (published) {
      found.model = *published;
      held.published = found;
    }
    if (!kept) continue;
    held.vectors.push_back(model);
    state.start(held.round);
    while (state.next()) held.vectors.push_back(state.column<Digest>(0));
  }
  return out;
}

}  // namespace hansa::server::internal
