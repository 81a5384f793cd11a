// A run in memory for simulations and tests, with a disk that outlives it: to crash an aggregator, drop its
// MemoryStore and keep the MemoryDisk; to start it again, make a new MemoryStore on that disk.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "server/retention/retention.h"
#include "server/store/run.h"

namespace hansa::server {

namespace internal {
class RetainedRounds;  // server/store/internal/retained_rounds.h
struct Surplus;
}  // namespace internal

// The content that survives a crash.
struct MemoryDisk {
  std::optional<RunIdentity> identity;
  std::unordered_map<Digest, std::vector<float>> models;  // and state vectors
  std::unordered_map<Digest, std::vector<std::byte>> deltas;
  std::vector<RoundRecord> rounds;  // round 1 first
  std::map<RoundId, Metrics> evaluations;
  std::vector<AbandonedAttempt> abandoned;
  std::optional<RunEnd> end;
  std::optional<std::vector<std::byte>> archive;
  std::string layout;
  std::optional<std::string> manifest;
  std::map<RoundId, std::string> configurations;
  std::string contract;
};

enum class MemoryAccess : std::uint8_t { read_only, read_write };

struct MemoryRunOptions {
  Retention retention = {};
  std::string name = "memory store";  // in messages
  std::filesystem::path scratch = {};  // a folder for archive_file() and model_file()
  MemoryAccess access = MemoryAccess::read_write;
};

class MemoryStore final : public Run {
 public:
  // Called before each durable step: "write model", "write delta", "keep identity", "commit round",
  // "record evaluation", "record attempt", "remove models". If it fails, the step does not happen and the call fails with its error.
  using BeforeStep = std::function<Result<void>(std::string_view step)>;

  // Removes what no committed round names, as every store does when it is opened for writing.
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk, BeforeStep before_step = {},
                       MemoryRunOptions options = {});
  ~MemoryStore() override;

  [[nodiscard]] Result<void> begin_run(const RunIdentity& identity,
                                       std::span<const float> initial_model) override;
  [[nodiscard]] Result<Digest> put_model(std::span<const float> parameters) override;
  [[nodiscard]] Result<void> get_model(const Digest& digest, std::span<float> parameters) override;
  [[nodiscard]] Result<Digest> put_delta(std::span<const std::byte> delta) override;
  [[nodiscard]] Result<std::vector<std::byte>> get_delta(const Digest& digest) override;
  [[nodiscard]] bool wants_published_vector(RoundId round) const override;
  [[nodiscard]] Result<void> commit_round(const RoundRecord& record) override;
  [[nodiscard]] Result<void> record_evaluation(RoundId round, const Metrics& metrics) override;
  [[nodiscard]] Result<void> record_abandoned(const AbandonedAttempt& attempt) override;
  [[nodiscard]] Result<std::vector<AbandonedAttempt>> abandoned_attempts() override {
    return disk_->abandoned;
  }
  [[nodiscard]] Result<void> record_end(const RunEnd& end) override;
  [[nodiscard]] Result<std::optional<RunEnd>> end() override;
  [[nodiscard]] Result<std::optional<Position>> position() override;
  [[nodiscard]] Result<std::optional<RoundRecord>> round(RoundId round) override;
  [[nodiscard]] Result<std::optional<Metrics>> evaluation(RoundId round) override;
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round) override;

  [[nodiscard]] Result<std::optional<RunIdentity>> identity() override;
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds() override;
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds(RoundId first, RoundId last) override;
  [[nodiscard]] Result<std::vector<ClientRound>> rounds_of(const std::string& client,
                                                           std::size_t most) override;
  [[nodiscard]] Result<std::vector<RoundId>> rounds_without_model() override;
  [[nodiscard]] Result<std::uint64_t> recovered_clients() override;
  [[nodiscard]] Result<std::vector<double>> layer_norms(RoundId round) override;
  [[nodiscard]] Result<std::vector<Arrival>> arrivals(RoundId round) override;
  [[nodiscard]] Result<std::vector<std::pair<RoundId, Metrics>>> evaluations() override;
  [[nodiscard]] Result<Digest> put_archive(const std::filesystem::path& archive) override;
  [[nodiscard]] Result<void> put_layout(std::string_view layout) override;
  [[nodiscard]] Result<void> put_manifest(std::string_view manifest) override;
  [[nodiscard]] Result<std::optional<std::string>> manifest() override;
  [[nodiscard]] Result<void> put_configuration(RoundId round, std::string_view text) override;
  [[nodiscard]] Result<std::vector<Configuration>> configurations() override;
  [[nodiscard]] Result<void> put_contract(std::string_view contract) override;
  [[nodiscard]] Result<std::string> contract() override;
  [[nodiscard]] Result<ParameterLayout> layout() override;
  [[nodiscard]] Result<std::filesystem::path> archive_file() override;
  [[nodiscard]] Result<ModelFile> model_file(const Digest& digest) override;
  [[nodiscard]] Result<std::vector<std::string>> check_newest() override;
  [[nodiscard]] Result<RunCheck> verify() override;
  [[nodiscard]] std::string location() const override { return options_.name; }
  [[nodiscard]] std::filesystem::path scratch_folder() const override { return options_.scratch; }

 private:
  [[nodiscard]] Result<void> before(std::string_view step) const;
  [[nodiscard]] Result<void> require_writable() const;
  [[nodiscard]] Result<void> require_vector(const Digest& digest, std::string_view what) const;
  [[nodiscard]] Result<RoundId> last_round() const;
  void clean_up();
  void mark_removed(const internal::Surplus& surplus);
  [[nodiscard]] Result<void> remove_vectors(const internal::Surplus& surplus);

  std::shared_ptr<MemoryDisk> disk_;
  BeforeStep before_step_;
  MemoryRunOptions options_;
  std::unique_ptr<internal::RetainedRounds> retained_;
};

}  // namespace hansa::server
