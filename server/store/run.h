// A run: what the engine stores (store.h), and what setup, the aggregator's process and the operator's tools need.
//
// Implementations: RunFolder (run_folder.h), SQLite and files on disk; MemoryStore (memory_store.h), for simulations
// and tests. Programs get one from a catalogue (run_catalogue.h), so that runs may be stored elsewhere later. One
// thread at a time.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/parameter_layout.h"
#include "server/store/store.h"

namespace hansa::server {

// A model as a file of little-endian float32 values, for other processes. The file is not removed before the last copy
// of this object is gone, which may happen on any thread.
struct ModelFile {
  std::filesystem::path path;
  std::shared_ptr<const void> hold;
};

// What Run::verify() read.
struct RunCheck {
  RoundId last;  // the last committed round
  Digest history;  // stands for the identity and the rows of all rounds; zero if the run has none
  std::uint64_t vectors = 0;  // models, state vectors and published vectors
  std::uint64_t deltas = 0;
  std::vector<std::string> problems;  // what is damaged or missing, for people; empty: everything matches
  std::vector<std::string> notes;  // what could not be checked, for people
};

// What became of a client in a round.
struct ClientRound {
  RoundId round;
  std::string started_at;  // RFC 3339, UTC
  Outcome outcome = Outcome::no_answer;
  std::string reason;
  std::uint64_t examples = 0;
  double seconds = 0;
};

class Run : public Store {
 public:
  // Empty before begin_run.
  [[nodiscard]] virtual Result<std::optional<RunIdentity>> identity() = 0;
  // All committed rounds, in order.
  [[nodiscard]] virtual Result<std::vector<RoundRecord>> rounds() = 0;
  // Those from first to last, in order.
  [[nodiscard]] virtual Result<std::vector<RoundRecord>> rounds(RoundId first, RoundId last) = 0;
  // The rounds for which a client was selected, the newest first, at most `most`.
  [[nodiscard]] virtual Result<std::vector<ClientRound>> rounds_of(const std::string& client,
                                                                   std::size_t most) = 0;
  // Those whose models were removed, in order.
  [[nodiscard]] virtual Result<std::vector<RoundId>> rounds_without_model() = 0;
  // SecureSumRecord::recovered, of all rounds together.
  [[nodiscard]] virtual Result<std::uint64_t> recovered_clients() = 0;
  // RoundRecord::layer_norms of a round. Empty: not known.
  [[nodiscard]] virtual Result<std::vector<double>> layer_norms(RoundId round) = 0;
  [[nodiscard]] virtual Result<std::vector<std::pair<RoundId, Metrics>>> evaluations() = 0;

  // The last abandoned_attempts_max, in order.
  [[nodiscard]] virtual Result<std::vector<AbandonedAttempt>> abandoned_attempts() = 0;

  // For people, like the attempts. end() is empty unless the last round is the one that was recorded as such.
  [[nodiscard]] virtual Result<void> record_end(const RunEnd& end) = 0;
  [[nodiscard]] virtual Result<std::optional<RunEnd>> end() = 0;

  // Both puts are atomic and durable, and replace an earlier file. put_archive copies the file and returns its digest.
  [[nodiscard]] virtual Result<Digest> put_archive(const std::filesystem::path& archive) = 0;
  [[nodiscard]] virtual Result<void> put_layout(std::string_view layout) = 0;
  // The archive's signed manifest (protocols/enrolment/manifest_file.h), which a resumed run sends again. put_manifest is
  // atomic and durable. Empty if there is none.
  [[nodiscard]] virtual Result<void> put_manifest(std::string_view manifest) = 0;
  [[nodiscard]] virtual Result<std::optional<std::string>> manifest() = 0;
  // What the data of all clients of this run must have in common (identity_of in common/data_contract.h). Empty: the run
  // has no contract. put_contract is atomic and durable; call it before begin_run.
  [[nodiscard]] virtual Result<void> put_contract(std::string_view contract) = 0;
  [[nodiscard]] virtual Result<std::string> contract() = 0;

  // The text of federation.toml with which the rounds after `round` were made; replaces an earlier one for the same
  // round. Atomic and durable. For people: no digest covers it.
  [[nodiscard]] virtual Result<void> put_configuration(RoundId round, std::string_view text) = 0;
  // All that were put, in the order of their rounds.
  struct Configuration {
    RoundId after;  // the last round that was committed without it
    std::string text;
  };
  [[nodiscard]] virtual Result<std::vector<Configuration>> configurations() = 0;

  // Fails (storage) if it is not the layout that the run began with.
  [[nodiscard]] virtual Result<ParameterLayout> layout() = 0;
  // The path of a file with the archive. Fails (storage) before put_archive, or if the archive is not the one that the
  // run began with.
  [[nodiscard]] virtual Result<std::filesystem::path> archive_file() = 0;
  // Fails (storage) if the run does not hold the model.
  [[nodiscard]] virtual Result<ModelFile> model_file(const Digest& digest) = 0;

  // Compares what a restart depends on with its digests: the identity, the newest rounds, the last model and its state,
  // the archive and the layout. Fails (storage) at the first problem. Returns notes for the operator.
  [[nodiscard]] virtual Result<std::vector<std::string>> check_newest() = 0;
  // Reads all that the run stores and compares it with its digests, also while an aggregator works on the run.
  [[nodiscard]] virtual Result<RunCheck> verify() = 0;

  // For messages, and for command lines that name this run.
  [[nodiscard]] virtual std::string location() const = 0;
  // A folder for temporary files, such as spools.
  [[nodiscard]] virtual std::filesystem::path scratch_folder() const = 0;
};

}  // namespace hansa::server
