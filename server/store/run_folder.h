// A run on disk. What lies in a run folder:
//
//   run.sqlite       rounds, participations, evaluations: the truth (internal/database.cpp has the schema)
//   models/*.f32     model vectors, named by their SHA-256
//   steps/*.step     encoded differences between the models that clients got, named likewise
//   archive.pt       the model archive as the run started
//   layout.txt       its parameter layout
//   metrics.jsonl    a line a commit and a line an evaluation, from run.sqlite
//   lock             held by the aggregator that works on the run
//
// A commit costs three flushes: the model file, its name, the transaction; a step is flushed beside the model. All models and
// steps are kept.
// One thread at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "server/store/store.h"

namespace hansa::server {

class RunFolder final : public Store {
 public:
  // Opens the folder for the one aggregator that works on it, and makes what is missing. Fails
  // (storage) naming the process that holds it, or when a newer Hansa wrote it.
  [[nodiscard]] static Result<std::unique_ptr<RunFolder>> open(const std::filesystem::path& folder);
  // For looking on, also while an aggregator works; what would write fails (usage).
  // Fails (storage) if the folder holds no run.
  [[nodiscard]] static Result<std::unique_ptr<RunFolder>> open_read_only(const std::filesystem::path& folder);
  ~RunFolder() override;

  [[nodiscard]] Result<void> begin_run(const RunIdentity& identity,
                                       std::span<const float> initial_model) override;
  [[nodiscard]] Result<Digest> put_model(std::span<const float> parameters) override;
  [[nodiscard]] Result<void> get_model(const Digest& digest, std::span<float> parameters) override;
  [[nodiscard]] Result<Digest> put_delta(std::span<const std::byte> delta) override;
  [[nodiscard]] Result<std::vector<std::byte>> get_delta(const Digest& digest) override;
  [[nodiscard]] Result<void> commit_round(const RoundRecord& record) override;
  [[nodiscard]] Result<void> record_evaluation(RoundId round, const Metrics& metrics) override;
  [[nodiscard]] Result<std::optional<Position>> position() override;
  [[nodiscard]] Result<std::optional<RoundRecord>> round(RoundId round) override;
  [[nodiscard]] Result<std::optional<Metrics>> evaluation(RoundId round) override;
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round) override;

  // Empty before begin_run.
  [[nodiscard]] Result<std::optional<RunIdentity>> identity();
  // All that are committed, in order.
  [[nodiscard]] Result<std::vector<RoundRecord>> rounds();
  [[nodiscard]] Result<std::vector<std::pair<RoundId, Metrics>>> evaluations();

  // Atomic and durable; they replace what was there.
  // Copies the file; returns its digest.
  [[nodiscard]] Result<Digest> put_archive(const std::filesystem::path& archive);
  [[nodiscard]] Result<void> put_layout(std::string_view layout);

  [[nodiscard]] std::filesystem::path folder() const;
  [[nodiscard]] std::filesystem::path archive_path() const;
  [[nodiscard]] std::filesystem::path layout_path() const;
  [[nodiscard]] std::filesystem::path metrics_path() const;
  // Whether or not there is such a model.
  [[nodiscard]] std::filesystem::path model_path(const Digest& digest) const;

 private:
  struct State;
  explicit RunFolder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
