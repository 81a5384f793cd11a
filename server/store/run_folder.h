// A run on disk. A run folder contains:
//
//   run.sqlite       rounds, participations, evaluations: the truth (internal/schema.cpp has the tables)
//   models/*.f32     model and state vectors, named by their digest (common/vector_digest.h)
//   deltas/*.delta   encoded differences between the models that clients received, named by their SHA-256
//   archive.pt       the model archive as the run started
//   archive.pt.manifest   the operator's signature of the archive, if there is one
//   layout.txt       its parameter layout
//   config/          after-N.toml: federation.toml as it was for the rounds after round N
//   contract.toml    the data contract as the run started, if there is one
//   metrics.jsonl    one line for each commit and each evaluation, derived from run.sqlite
//   lock             held by the aggregator that works on the run
//
// A commit costs three flushes: the model file, its name, the transaction. Each further vector costs two more; a delta
// is flushed concurrently with the model. The transaction also marks the models that the retention no longer wants;
// their files are renamed after it and unlinked by a thread, without a flush. A crash in between leaves files that no
// committed round names, and so does one between storing a model and committing its round: open() removes them.
//
// Each row has a digest (internal/history.h). open() compares the newest rows and what the removal of files depends on.
// One thread at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/retention/retention.h"
#include "server/store/run.h"

namespace hansa::server {

class RunFolder final : public Run {
 public:
  // Opens the folder for the one aggregator that works on it, and creates what is missing. Fails (storage) if another
  // process holds it, naming that process, or if a newer Hansa wrote it.
  [[nodiscard]] static Result<std::unique_ptr<RunFolder>> open(const std::filesystem::path& folder,
                                                               const Retention& retention = {});
  // Opens the folder for reading, also while an aggregator works on it. Functions that write fail (usage). Fails
  // (storage) if the folder contains no run.
  [[nodiscard]] static Result<std::unique_ptr<RunFolder>> open_read_only(const std::filesystem::path& folder);
  // Whether the folder holds nothing of a run. Fails (storage) if that cannot be read.
  [[nodiscard]] static Result<bool> is_empty(const std::filesystem::path& folder);
  // Removes files that no committed round names from a run that no process works on. Does nothing if the run cannot be
  // opened or has an older schema.
  static void remove_abandoned(const std::filesystem::path& folder);
  ~RunFolder() override;

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
  [[nodiscard]] Result<std::vector<AbandonedAttempt>> abandoned_attempts() override;
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
  [[nodiscard]] std::string location() const override;
  [[nodiscard]] std::filesystem::path scratch_folder() const override;

  [[nodiscard]] std::filesystem::path archive_path() const;
  [[nodiscard]] std::filesystem::path manifest_path() const;
  [[nodiscard]] std::filesystem::path contract_path() const;
  [[nodiscard]] std::filesystem::path layout_path() const;
  [[nodiscard]] std::filesystem::path metrics_path() const;
  // The path of a model file, which need not exist.
  [[nodiscard]] std::filesystem::path model_path(const Digest& digest) const;

 private:
  struct State;
  explicit RunFolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
