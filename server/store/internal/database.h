// run.sqlite: its connection, and its transactions. The tables: schema.cpp, and a file for each subject.
//
// WAL with synchronous = FULL: a transaction is durable when it returns, at one flush; readers see whole transactions
// while the writer works. Errors have the code storage. One thread at a time.
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
  // read_write makes what is missing. Fails (storage), naming both versions, on a newer schema.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, Access access);
  ~Database();
  Database(Database&&) noexcept;

  [[nodiscard]] Result<std::optional<RunIdentity>> identity();
  [[nodiscard]] Result<void> keep_identity(const RunIdentity& identity);

  [[nodiscard]] Result<RoundId> last_round();  // 0 when none is committed
  // Rounds first to last that are committed, in order, with their participations.
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds(RoundId first, RoundId last);
  [[nodiscard]] Result<std::optional<Digest>> round_model(RoundId round);
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round);
  [[nodiscard]] Result<std::vector<std::pair<RoundId, Metrics>>> evaluations(RoundId first, RoundId last);

  // One transaction each; surplus is marked as removed in it.
  [[nodiscard]] Result<void> insert_round(const RoundRecord& record, const Surplus& surplus);
  [[nodiscard]] Result<void> replace_evaluation(RoundId round, const Metrics& metrics,
                                                const Surplus& surplus);
  [[nodiscard]] Result<void> remove(const Surplus& surplus);

  // Rounds of which something is held; of a database that is open for writing.
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
  int schema_;  // older than the newest: a run that is only read
};

}  // namespace hansa::server::internal
