// A client's own state in one SQLite file: what its feed has consumed, new examples, the replay reservoir, and
// values by name (personal layers).
//
// Each call that changes something is one transaction, durable when it returns (WAL, synchronous = FULL). Whatever is read
// back carries a digest. A damaged store is set aside under a dated name, an empty one takes its place, and
// notice() says so: the client starts clean instead of dying or lying. Any thread may call; calls take turns.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"
#include "learning/data/follow/feed.h"
#include "learning/local_state.h"

namespace SQLite {
class Database;
}

namespace hansa::client {

struct ExampleCounts {
  std::uint64_t fresh = 0;  // consumed, and no update that they trained was counted yet
  std::uint64_t replay = 0;  // in the reservoir
  std::uint64_t trained = 0;  // all that a counted update was trained on, once each
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

class StateStore final : public learning::LocalState {
 public:
  static constexpr const char* file_name = "state.sqlite";

  // Makes folder and file. Fails (storage) if another process uses the folder, or the file was written by a newer
  // Hansa.
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> open(const std::filesystem::path& folder);
  // For simulations: nothing is written.
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> in_memory();
  // To look at, also while a client uses it.
  [[nodiscard]] static Result<std::unique_ptr<StateStore>> open_to_read(const std::filesystem::path& folder);
  ~StateStore() override;

  // What happened to the store since the last call, for operator and aggregator; empty: nothing.
  [[nodiscard]] std::string take_notice();
  // Counts how often the store was replaced by an empty one: positions known before are void then.
  [[nodiscard]] std::uint64_t generation() const;

  [[nodiscard]] Result<std::optional<std::string>> position(const std::string& source);
  // Examples and position of the arrival, in one step. Fails (data) if they have another shape than those held.
  [[nodiscard]] Result<void> add(const learning::Arrival& arrival);
  [[nodiscard]] Result<ExampleCounts> counts();
  [[nodiscard]] Result<std::vector<ConsumedSource>> consumed();

  struct Snapshot {
    learning::Examples examples;  // new ones, then the reservoir's
    std::uint64_t fresh = 0;
    std::uint64_t mark = 0;  // names these new examples to trained()
  };
  // Fails (data) if nothing is at hand.
  [[nodiscard]] Result<Snapshot> snapshot();
  // New examples up to mark go through the reservoir: each is kept with probability replay_max / all trained
  // (Vitter 1985, algorithm R). Calling it twice is calling it once.
  [[nodiscard]] Result<void> trained(std::uint64_t mark, std::uint64_t replay_max);

  [[nodiscard]] Result<std::optional<std::vector<std::byte>>> get(const std::string& key) override;
  [[nodiscard]] Result<void> put(const std::string& key, std::span<const std::byte> value) override;

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
  std::string notice_;
  std::uint64_t generation_ = 0;
};

}  // namespace hansa::client
