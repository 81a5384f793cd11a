// run.sqlite: its connection and its transactions. schema.cpp defines the tables; a file for each subject reads and
// writes them.
//
// Uses WAL with synchronous = FULL: a transaction is durable when its commit returns, at the cost of one flush. Readers
// see only complete transactions while the writer works. Errors have the code storage. One thread at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/error.h"
#include "server/store/internal/history.h"
#include "server/store/internal/retained_rounds.h"
#include "server/store/internal/schema.h"
#include "server/store/run.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

class Database {
 public:
  // read_write creates a missing file and its tables. Fails (storage) on a newer schema, naming both versions.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, Access access);
  // Whether the file holds no tables. Fails (storage) if it is not a database.
  [[nodiscard]] static Result<bool> is_empty(const std::filesystem::path& file);
  ~Database();
  Database(Database&&) noexcept;

  // Fails (storage) if it does not match its digest.
  [[nodiscard]] Result<std::optional<RunIdentity>> identity();
  [[nodiscard]] Result<void> keep_identity(const RunIdentity& identity);

  [[nodiscard]] Result<RoundId> last_round();  // 0 when none is committed
  // The committed rounds from first to last, in order, with their participations.
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds(RoundId first, RoundId last);
  [[nodiscard]] Result<std::vector<ClientRound>> rounds_of(const std::string& client, std::size_t most);
  [[nodiscard]] Result<std::vector<RoundId>> rounds_without_model();
  [[nodiscard]] Result<std::uint64_t> recovered_clients();
  [[nodiscard]] Result<std::vector<double>> layer_norms(RoundId round);
  [[nodiscard]] Result<std::vector<Arrival>> arrivals(RoundId round);
  [[nodiscard]] Result<std::optional<Digest>> round_model(RoundId round);
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round);
  [[nodiscard]] Result<std::vector<std::pair<RoundId, Metrics>>> evaluations(RoundId first, RoundId last);

  // One transaction each, which also marks the surplus as removed.
  [[nodiscard]] Result<void> insert_round(const RoundRecord& record, const Surplus& surplus);
  [[nodiscard]] Result<void> replace_evaluation(RoundId round, const Metrics& metrics,
                                                const Surplus& surplus);
  [[nodiscard]] Result<void> remove(const Surplus& surplus);
  [[nodiscard]] Result<void> insert_abandoned(const AbandonedAttempt& attempt);
  [[nodiscard]] Result<std::vector<AbandonedAttempt>> abandoned();
  [[nodiscard]] Result<void> replace_end(const RunEnd& end);
  [[nodiscard]] Result<std::optional<RunEnd>> end();

  // Compares the rows with their digests (history.h): all seals, and the digests of the newest `rounds` rounds. A run
  // of an older schema, which is only read, has no digests and no problems.
  [[nodiscard]] Result<HistoryCheck> check_history(std::uint32_t rounds);
  // What SQLite finds wrong with the structure of its file: PRAGMA integrity_check. Empty: nothing.
  [[nodiscard]] Result<std::vector<std::string>> structure_problems();
  // Moves what the WAL file holds into the database, and empties it, so that no transaction that a crash interrupted
  // stays in it.
  [[nodiscard]] Result<void> empty_wal();
  [[nodiscard]] int schema() const { return schema_; }

  // The rounds of which the store holds something. Requires a database that is open for writing.
  [[nodiscard]] Result<std::vector<HeldRound>> held_rounds();
  // Every vector and every delta that the run still needs. Requires schema_with_state.
  struct Named {
    std::unordered_set<Digest> vectors;
    std::unordered_set<Digest> deltas;
  };
  [[nodiscard]] Result<Named> named();

 private:
  Database(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection, int schema);

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> connection_;
  bool identity_checked_ = false;
  int schema_;  // may be older than the newest if the run is only read
};

}  // namespace hansa::server::internal
