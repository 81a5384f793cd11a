#include "server/store/internal/database.h"

#include <algorithm>
#include <string>

#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"
#include "common/sqlite/statement.h"
#include "server/store/internal/arrivals_table.h"
#include "server/store/internal/evaluation_tables.h"
#include "server/store/internal/identity_table.h"
#include "server/store/internal/layer_norms_table.h"
#include "server/store/internal/outcome_tables.h"
#include "server/store/internal/round_tables.h"

namespace hansa::server::internal {
namespace {

template <class Work>
void in_transaction(SQLite::Database& connection, Work work) {
  SQLite::Transaction transaction(connection);
  work();
  transaction.commit();
}

void remove_in_transaction(SQLite::Database& connection, const Surplus& surplus) {
  mark_removed(connection, surplus);
  renew_seals(connection, surplus.models);
  renew_seals(connection, surplus.deltas);
}

std::unordered_set<Digest> digests_of(SQLite::Database& connection, const char* text) {
  std::unordered_set<Digest> out;
  sqlite::Statement query(connection, text);
  while (query.next()) out.insert(query.column<Digest>(0));
  return out;
}

}  // namespace

Database::Database(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection, int schema)
    : file_(std::move(file)), connection_(std::move(connection)), schema_(schema) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;

Result<Database> Database::open(const std::filesystem::path& file, Access access) {
  auto opened = sqlite::guarded(file, "opening", [&]() -> Result<Database> {
    auto connection = access == Access::read_write ? sqlite::open_to_write(file) : sqlite::open_to_read(file);
    int schema = sqlite::schema_version(*connection);
    if (schema > newest_schema)
      return fail(ErrorCode::storage, file.string(),
                  "was written by a newer Hansa (schema " + std::to_string(schema) + ", this one knows " +
                      std::to_string(newest_schema) + ")",
                  "use that version for this run");
    if (schema == 0 && access == Access::read_only)
      return fail(ErrorCode::storage, file.string(), "holds no run yet");
    if (access == Access::read_write && schema < newest_schema) {
      if (schema == 0) make_tables(*connection);
      else migrate_tables(*connection, schema);
      schema = newest_schema;
    }
    if (access == Access::read_write) {
      make_layer_norms_table(*connection);
      make_arrivals_table(*connection);
      add_abandon_cause(*connection);
    }
    return Database(file, std::move(connection), schema);
  });
  HANSA_TRY(Result<Database> database, std::move(opened));
  return database;
}

Result<bool> Database::is_empty(const std::filesystem::path& file) {
  return sqlite::guarded(file, "opening", [&] {
    const auto connection = sqlite::open_to_read(file);
    return sqlite::number_of(*connection, "SELECT count(*) FROM sqlite_master") == 0;
  });
}

Result<std::optional<RunIdentity>> Database::identity() {
  HANSA_TRY(auto identity,
            sqlite::guarded(file_, "reading the run", [&] { return read_identity(*connection_, schema_); }));
  if (!identity || identity_checked_ || schema_ < schema_with_history) return identity;
  HANSA_TRY(identity_checked_,
            sqlite::guarded(file_, "reading the run", [&] { return identity_matches(*connection_); }));
  if (!identity_checked_)
    return fail(ErrorCode::storage, file_.string(), "the run's identity does not match its digest",
                damaged_hint);
  return identity;
}

Result<void> Database::keep_identity(const RunIdentity& identity) {
  return sqlite::guarded(file_, "keeping the run", [&] {
    in_transaction(*connection_, [&] {
      insert_identity(*connection_, identity);
      append_history(*connection_, RoundId{0});
    });
  });
}

Result<RoundId> Database::last_round() {
  return sqlite::guarded(file_, "reading the last round", [&] { return read_last_round(*connection_); });
}

Result<std::optional<Digest>> Database::round_model(RoundId round) {
  return sqlite::guarded(file_, "reading a round", [&] { return read_round_model(*connection_, round); });
}

Result<std::vector<RoundRecord>> Database::rounds(RoundId first, RoundId last) {
  return sqlite::guarded(file_, "reading rounds",
                         [&] { return read_rounds(*connection_, schema_, first, last); });
}

Result<std::vector<ClientRound>> Database::rounds_of(const std::string& client, std::size_t most) {
  return sqlite::guarded(file_, "reading a client's rounds",
                         [&] { return read_client_rounds(*connection_, client, most); });
}

Result<std::vector<RoundId>> Database::rounds_without_model() {
  return sqlite::guarded(file_, "reading rounds",
                         [&] { return read_rounds_without_model(*connection_, schema_); });
}

Result<std::uint64_t> Database::recovered_clients() {
  if (schema_ < schema_with_secure_sums) return std::uint64_t{0};
  return sqlite::guarded(file_, "reading secure sums", [&] {
    sqlite::Statement query(*connection_, "SELECT coalesce(sum(recovered), 0) FROM secure_sums");
    return query.next() ? query.column<std::uint64_t>(0) : 0;
  });
}

Result<std::vector<double>> Database::layer_norms(RoundId round) {
  return sqlite::guarded(file_, "reading the norms of layers",
                         [&] { return read_layer_norms(*connection_, round); });
}

Result<std::vector<Arrival>> Database::arrivals(RoundId round) {
  return sqlite::guarded(file_, "reading the arrivals of a round",
                         [&] { return read_arrivals(*connection_, round); });
}

Result<std::optional<Published>> Database::published(RoundId round) {
  return sqlite::guarded(file_, "reading a published model",
                         [&] { return read_published(*connection_, schema_, round); });
}

Result<std::vector<std::pair<RoundId, Metrics>>> Database::evaluations(RoundId first, RoundId last) {
  return sqlite::guarded(file_, "reading evaluations",
                         [&] { return read_evaluations(*connection_, first, last); });
}

Result<void> Database::insert_round(const RoundRecord& record, const Surplus& surplus) {
  return sqlite::guarded(file_, "committing a round", [&] {
    in_transaction(*connection_, [&] {
      insert_round_rows(*connection_, record);
      insert_layer_norms(*connection_, record);
      insert_arrivals(*connection_, record);
      append_history(*connection_, record.round);
      remove_in_transaction(*connection_, surplus);
    });
  });
}

Result<void> Database::replace_evaluation(RoundId round, const Metrics& metrics, const Surplus& surplus) {
  return sqlite::guarded(file_, "keeping an evaluation", [&] {
    in_transaction(*connection_, [&] {
      replace_evaluation_rows(*connection_, round, metrics);
      renew_seals(*connection_, {round});
      remove_in_transaction(*connection_, surplus);
    });
  });
}

Result<void> Database::insert_abandoned(const AbandonedAttempt& attempt) {
  return sqlite::guarded(file_, "keeping an abandoned attempt", [&] {
    in_transaction(*connection_, [&] { insert_abandoned_row(*connection_, attempt); });
  });
}

Result<std::vector<AbandonedAttempt>> Database::abandoned() {
  return sqlite::guarded(file_, "reading abandoned attempts",
                         [&] { return read_abandoned(*connection_, schema_); });
}

Result<void> Database::replace_end(const RunEnd& end) {
  return sqlite::guarded(file_, "keeping the end of the run",
                         [&] { in_transaction(*connection_, [&] { replace_end_row(*connection_, end); }); });
}

Result<std::optional<RunEnd>> Database::end() {
  return sqlite::guarded(file_, "reading the end of the run",
                         [&] { return read_end(*connection_, schema_); });
}

Result<void> Database::remove(const Surplus& surplus) {
  if (surplus.empty()) return {};
  return sqlite::guarded(file_, "removing models", [&] {
    in_transaction(*connection_, [&] { remove_in_transaction(*connection_, surplus); });
  });
}

Result<HistoryCheck> Database::check_history(std::uint32_t rounds) {
  if (schema_ < schema_with_history) return HistoryCheck{};
  return sqlite::guarded(file_, "checking the rows", [&] {
    const RoundId last = read_last_round(*connection_);
    return internal::check_history(*connection_, RoundId{last.value - std::min(last.value, rounds)});
  });
}

Result<std::vector<std::string>> Database::structure_problems() {
  return sqlite::guarded(file_, "checking the file", [&] {
    std::vector<std::string> out;
    sqlite::Statement query(*connection_, "PRAGMA integrity_check(20)");
    while (query.next()) out.push_back(query.column<std::string>(0));
    if (out == std::vector<std::string>{"ok"}) out.clear();
    return out;
  });
}

Result<void> Database::empty_wal() {
  return sqlite::guarded(file_, "emptying the WAL",
                         [&] { connection_->exec("PRAGMA wal_checkpoint(TRUNCATE)"); });
}

Result<std::vector<HeldRound>> Database::held_rounds() {
  return sqlite::guarded(file_, "reading rounds", [&] { return read_held_rounds(*connection_); });
}

Result<Database::Named> Database::named() {
  return sqlite::guarded(file_, "reading which models are needed", [&] {
    return Named{digests_of(*connection_,
                            "SELECT initial_model FROM run UNION ALL SELECT vector FROM initial_state"
                            " UNION ALL SELECT model FROM rounds WHERE model_kept"
                            " UNION ALL SELECT s.vector FROM round_state s"
                            " JOIN rounds r ON r.round = s.round WHERE r.model_kept"
                            " UNION ALL SELECT vector FROM published WHERE vector IS NOT NULL"),
                 digests_of(*connection_, "SELECT delta FROM published")};
  });
}

}  // namespace hansa::server::internal
