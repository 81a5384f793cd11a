#include "common/sqlite/statement.h"
#include "server/store/internal/round_tables.h"

namespace hansa::server::internal {
namespace {

using sqlite::Statement;

void insert_participations(SQLite::Database& database, const RoundRecord& record) {
  Statement insert(database, "INSERT INTO participations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  Statement insert_metric(database, "INSERT INTO participation_metrics VALUES (?, ?, ?, ?, ?, ?)");
  const std::span<const std::byte> no_update;
  for (const Participation& p : record.participations) {
    const auto update = p.update.is_zero() ? no_update : std::as_bytes(std::span(p.update.bytes));
    insert.run(record.round, p.client, name(p.outcome), p.reason, p.examples, update, p.bytes_up,
               p.bytes_down, p.seconds, p.train_seconds);
    for (std::size_t i = 0; i < p.metrics.size(); ++i) {
      const Metric& metric = p.metrics[i];
      insert_metric.run(record.round, p.client, i, metric.name, metric.sum, metric.count);
    }
  }
}

void insert_secure_sum(SQLite::Database& database, RoundId round, const SecureSumRecord& s) {
  Statement(database, "INSERT INTO secure_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(round, s.neighbours, s.threshold, s.with_keys, s.recovered, s.value_bits, s.ring_bits, s.clip,
           s.next_clip, s.setup_seconds, s.unmask_seconds, s.examples, std::span(s.scales),
           std::span(s.next_scales));
  Statement insert_metric(database, "INSERT INTO secure_sum_metrics VALUES (?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < s.metrics.size(); ++i)
    insert_metric.run(round, i, s.metrics[i].name, s.metrics[i].sum, s.metrics[i].count);
}

}  // namespace

void insert_round_rows(SQLite::Database& database, const RoundRecord& record) {
  Statement(database,
            "INSERT INTO rounds (round, model, base, started_at, seconds, attempt, update_norm)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(record.round, record.model, record.base, record.started_at, record.seconds, record.attempt,
           record.update_norm);
  insert_participations(database, record);
  if (const auto& published = record.published)
    Statement(database, "INSERT INTO published (round, model, sum, delta, vector) VALUES (?, ?, ?, ?, ?)")
        .run(record.round, published->model, published->check, published->delta, published->vector);
  if (record.secure) insert_secure_sum(database, record.round, *record.secure);
  Statement insert_state(database, "INSERT INTO round_state VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < record.state.size(); ++i)
    insert_state.run(record.round, i, record.state[i].name, record.state[i].vector);
}

void mark_removed(SQLite::Database& database, const Surplus& surplus) {
  Statement mark(database, "UPDATE rounds SET model_kept = 0 WHERE round = ?");
  for (const RoundId round : surplus.models) mark.run(round);
  Statement forget(database, "DELETE FROM published WHERE round = ?");
  for (const RoundId round : surplus.deltas) forget.run(round);
}

}  // namespace hansa::server::internal
