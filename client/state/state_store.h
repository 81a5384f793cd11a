// A client's own state in one SQLite file: what its feed has consumed, new examples, the replay reservoir, and vectors
// by name.
//
// Each call that changes something is one transaction, durable when it returns (WAL, synchronous = FULL). What is read
// back is checked against a digest. A damaged store is set aside under a dated name, an empty one takes its place, and
// take_notice() reports it: the client starts with an empty state instead of failing or using wrong values. Any thread
// may call; calls take turns.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/ledger/device_ledger.h"
#include "common/descriptor.h"
#include "common/error.h"
#include "learning/data/follow/feed.h"
#include "learning/kept_vectors.h"
#include "protocols/secure_aggregation/opened_sums.h"

namespace SQLite {
class Database;
}

namespace hansa::client {

struct ExampleCounts {
  std::uint64_t fresh = 0;  // consumed, and not yet part of a counted update
  std::uint64_t replay = 0;  // in the reservoir
  std::uint64_t trained = 0;  // part of a counted update, each counted once
  [[nodiscard]] std::uint64_t available() const { return fresh + replay; }
};

// What was consumed of one source.
struct ConsumedSource {
  std::string source;
  std::uint64_t records = 0;
  std::uint64_t examples = 0;
  learning::MultisetDigest digest;
  std::string position;  // JSON
};

struct ExampleSnapshot {
  learning::Examples examples;  // new ones, then the reservoir's
  std::uint64_t fresh = 0;
  std::uint64_t mark = 0;  // names these new examples in StagedChanges::data_mark
};

struct ApplyOptions {
  std::optional<std::uint64_t> replay_max = {};  // size of the reservoir; empty: the client follows no data
  // Called between any two changes that stage() and apply() make, with the name of the point; tests kill the process
  // there.
  std::function<void(const char* point)> reached = {};
};

class StateStore {
 public:
  static constexpr const char* file_name = "state.sqlite";

  // Creates folder and file. Fails (storage) if another process uses the folder, or the file was written by a newer
  // Hansa.
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> open(const std::filesystem::path& folder);
  // For simulations: nothing is written.
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> in_memory();
  // For reading only; works while a client uses the folder.
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> open_to_read(const std::filesystem::path& folder);
  ~StateStore();

  // What happened to the store since the last call, once; empty if nothing happened.
  [[nodiscard]] std::optional<Error> take_notice();
  // How often the store was replaced by an empty one. Positions that were read before are invalid then.
  [[nodiscard]] std::uint64_t generation() const;

  [[nodiscard]] Result<std::optional<std::string>> position(const std::string& source);
  // Stores the arrival's examples and its position. Fails (data) if the examples have another shape than those held.
  [[nodiscard]] Result<void> add(const learning::Arrival& arrival);
  [[nodiscard]] Result<ExampleCounts> counts();
  // Of the examples, without the ranges of their columns. Empty if there were none yet.
  [[nodiscard]] Result<std::optional<DataDescription>> description();
  [[nodiscard]] Result<std::vector<ConsumedSource>> consumed();
  // The examples on which the task must be trained: those available now; for the task that was applied last, those that
  // were available before it. Fails (data) if there is none.
  [[nodiscard]] Result<ExampleSnapshot> snapshot(TaskId task);

  // Like DeviceLedger. In apply(), new examples up to the mark pass through the reservoir: each is kept with probability
  // replay_max / all trained (Vitter 1985, algorithm R), by draws that are derived from the task's seed.
  [[nodiscard]] Result<learning::KeptVectors> find(TaskId task, std::string_view scope);
  [[nodiscard]] Result<void> stage(const StagedChanges& changes, const ApplyOptions& options);
  [[nodiscard]] Result<bool> apply(TaskId task, const ApplyOptions& options);

  // Like OpenedSumsStore.
  [[nodiscard]] Result<std::vector<secure_aggregation::OpenedSum>> opened_sums();
  [[nodiscard]] Result<void> add_opened(const secure_aggregation::OpenedSum& sum);

 private:
  enum class Access : std::uint8_t { write, read };
  StateStore(std::filesystem::path file, Access access);
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] Result<void> set_aside(const std::string& why);
  template <class Work>
  auto run(const char* doing, Work work) -> Result<decltype(work())>;

  std::filesystem::path file_;  // empty: in memory
  Access access_;
  Descriptor lock_;
  mutable std::mutex mutex_;
  std::unique_ptr<SQLite::Database> database_;
  std::optional<Error> notice_;
  std::uint64_t generation_ = 0;
};

}  // namespace hansa::client
