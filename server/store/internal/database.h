// run.sqlite: the schema and its queries. The only file of Hansa that speaks SQL.
//
// WAL with synchronous=FULL: a transaction is durable when it returns, at one flush; readers
// see whole transactions while the writer works. One thread at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/error.h"
#include "server/store/store.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

enum class Access { read_only, read_write };

class Database {
 public:
  static constexpr int schema_version = 5;

  // read_write makes what is missing. Fails (storage), naming both versions, on a newer schema.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, Access access);
  ~Database();
  Database(Database&&) noexcept;

  [[nodiscard]] Result<std::optional<RunIdentity>> identity();
  [[nodiscard]] Result<void> keep_identity(const RunIdentity& identity);

  [[nodiscard]] Result<RoundId> last_round();  // 0 when none is committed
  // Rounds first..last that are committed, in order, with their participations.
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds(RoundId first, RoundId last);
  [[nodiscard]] Result<std::optional<Digest>> round_model(RoundId round);
  [[nodiscard]] Result<void> insert_round(const RoundRecord& record);
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round);

  [[nodiscard]] Result<std::vector<std::pair<RoundId, Metrics>>> evaluations(RoundId first, RoundId last);
  [[nodiscard]] Result<void> replace_evaluation(RoundId round, const Metrics& metrics);

 private:
  Database(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection);
  template <class Work>
  auto guarded(const char* doing, Work work) -> Result<decltype(work())>;

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> connection_;
  int version_ = schema_version;  // older: a run that is only read
};

}  // namespace hansa::server::internal
