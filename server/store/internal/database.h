// run.sqlite: its connection and its transactions. schema.cpp defines the tables; a file for each subject reads and
// writes them.
//
// Uses WAL with synchronous = FULL: a transaction is durable when its commit returns, at the cost of one flush. Readers
// see only complete transactions while the writer works. Errors have the code storage. One thread at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/error.h"
#include "server/store/internal/retained_rounds.h"
#include "server/store/internal/schema.h"
#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

class Database {
 public:
  // read_write creates a missing file and its tables. Fails (storage) on a newer schema, naming both versions.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, Access access);
  ~Database();
  Database(Database&&) noexcept;

  [[nodiscard]] Result<std::optional<RunIdentity>> identity();
  [[nodiscard]] Result<void> keep_identity(const RunIdentity& identity);

  [[nodiscard]] Result<RoundId> last_round();  // 0 when none is committed
  // The committed rounds from first to last, in order, with their participations.
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds(RoundId first, RoundId last);
  [[nodiscard]] Result<std::optional<Digest>> round_model(RoundId round);
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round);
  [[nodiscard]] Result<std::vector<std::pair<RoundId, Metrics>>> evaluations(RoundId first, RoundId last);

  // One transaction each, which also marks the surplus as removed.
  [[nodiscard]] Result<void> insert_round(const RoundRecord& record, const Surplus& surplus);
  [[nodiscard]] Result<void> replace_evaluation(RoundId round, const Metrics& metrics,
                                                const Surplus& surplus);
  [[nodiscard]] Result<void> remove(const Surplus& surplus);

  // The rounds of which the store holds something. Requires a database that is open for writing.
  [[nodiscard]] Result<std::vector<HeldRound>> held_rounds();
  // Every vector and every delta that the run still needs.
  struct Named {
    std::unordered_set<Digest> vectors;
    std::unordered_set<Digest> deltas;
  };
  [[nodiscard]] Result<Named> named();

 private:
  Database(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection, int schema);

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> connection_;
  int schema_;  // may be older than the newest if the run is only read
};

}  // namespace hansa::server::internal
