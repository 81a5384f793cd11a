#include "server/store/run_folder.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fcntl.h>

#include "common/files.h"
#include "common/folder_lock.h"
#include "common/open_file.h"
#include "server/store/internal/content_files.h"
#include "server/store/internal/configuration_files.h"
#include "server/store/internal/database.h"
#include "server/store/internal/delta_files.h"
#include "server/store/internal/folder_contents.h"
#include "server/store/internal/identity.h"
#include "server/store/internal/metrics_log.h"
#include "server/store/internal/model_files.h"
#include "server/store/internal/run_check.h"

namespace hansa::server {
namespace {

constexpr RoundId first_round{0};
constexpr RoundId any_last_round{std::numeric_limits<std::uint32_t>::max()};
constexpr std::size_t manifest_bytes_max = 4096;
constexpr std::size_t stored_contract_bytes_max = 1 << 20;

// Makes the new names in a folder durable, so that they survive a power cut.
Result<void> flush_folder(const std::filesystem::path& folder) {
  const Descriptor directory = open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory || ::fsync(directory.get()) != 0)
    return fail_with_errno(folder, "cannot be flushed to disk");
  return {};
}

}  // namespace

struct RunFolder::State {
  std::filesystem::path folder;
  internal::Access access;
  Descriptor lock;
  internal::Database database;
  internal::ModelFiles models;
  internal::DeltaFiles deltas;
  internal::RetainedRounds retained;
  std::optional<internal::MetricsLog> lines = {};  // only if the run is open for writing
  // Models that ModelFile objects hold. Their files are not removed before the last holder is gone.
  std::unordered_map<Digest, std::weak_ptr<const void>> holds = {};
  std::vector<Digest> surplus_vectors = {};
  bool archive_checked = false;
  internal::FileRemover remover = {};

  internal::RunParts parts() { return {folder, database, models, deltas}; }
  Result<void> require_writable() const {
    if (access == internal::Access::read_write) return {};
    return fail(ErrorCode::usage, folder.string(), "is open for reading only");
  }
  Result<RoundId> last_round() {
    HANSA_TRY(const auto identity, database.identity());
    if (!identity) return internal::fail_not_begun(folder.string());
    return database.last_round();
  }
  Result<void> require_vector(const Digest& digest, const char* what) const {
    if (models.contains(digest)) return {};
    return fail(ErrorCode::storage, folder.string(),
                std::string("has no ") + what + " " + digest.brief() + " to commit");
  }

  // Removes what the retention does not keep, and files that no committed round names.
  Result<void> clean_up() {
    HANSA_TRY(const auto identity, database.identity());
    if (identity && !retained.keeps_all()) {
      retained.begin(*identity);
      HANSA_TRY(auto held, database.held_rounds());
      for (auto& round : held) retained.add(std::move(round));
      HANSA_TRY(const auto evaluations, database.evaluations(first_round, any_last_round));
      for (const auto& [round, metrics] : evaluations) retained.set_score(round, retained.score_of(metrics));
      const internal::Surplus surplus = retained.surplus();
      HANSA_TRY_VOID(database.remove(surplus));
      (void)retained.remove(surplus);
    }
    HANSA_TRY(const auto named, database.named());
    HANSA_TRY_VOID(internal::remove_unnamed(folder / "models", internal::ModelFiles::suffix, named.vectors));
    return internal::remove_unnamed(deltas.folder(), internal::DeltaFiles::suffix, named.deltas);
  }

  // Called after the transaction that no longer names the files.
  void remove_files(const internal::Surplus& surplus) {
    internal::Unnamed unnamed = retained.remove(surplus);
    for (const Digest& delta : unnamed.deltas) deltas.remove(delta, remover);
    surplus_vectors.insert(surplus_vectors.end(), unnamed.vectors.begin(), unnamed.vectors.end());
    std::erase_if(holds, [](const auto& hold) { return hold.second.expired(); });
    std::erase_if(surplus_vectors, [&](const Digest& vector) {
      if (retained.names(vector)) return true;  // named again while it was held
      if (holds.contains(vector)) return false;
      models.remove(vector, remover);
      return true;
    });
  }
};

Result<bool> RunFolder::is_empty(const std::filesystem::path& folder) { return internal::is_empty(folder); }

void RunFolder::remove_abandoned(const std::filesystem::path& folder) {
  {
    const auto lock = lock_folder(folder, "");
    if (!lock) return;
    auto run = open_read_only(folder);
    if (!run || (*run)->state_->database.schema() < internal::newest_schema) return;
    if (!internal::check_rows((*run)->state_->parts())) return;
    const auto named = (*run)->state_->database.named();
    if (!named) return;
    using internal::has_left;
    const bool left = has_left(folder, "", {}) ||
                      has_left(folder / "models", internal::ModelFiles::suffix, named->vectors) ||
                      has_left(folder / "deltas", internal::DeltaFiles::suffix, named->deltas);
    if (!left) return;
  }
  (void)open(folder);  // a retention would remove more
}

RunFolder::RunFolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunFolder::~RunFolder() = default;

Result<std::unique_ptr<RunFolder>> RunFolder::open(const std::filesystem::path& folder,
                                                   const Retention& retention) {
  HANSA_TRY_VOID(make_folders(folder));
  HANSA_TRY(auto lock, lock_folder(folder, "stop that aggregator, or give this one another run"));
  HANSA_TRY_VOID(internal::require_no_lost_database(folder));
  HANSA_TRY_VOID(remove_unfinished(folder));
  HANSA_TRY(auto database, internal::Database::open(folder / "run.sqlite", internal::Access::read_write));
  HANSA_TRY(auto models, internal::ModelFiles::open(folder / "models"));
  HANSA_TRY(auto deltas, internal::DeltaFiles::open(folder));
  auto state = std::unique_ptr<State>(new State{folder, internal::Access::read_write, std::move(lock),
                                                std::move(database), std::move(models), std::move(deltas),
                                                internal::RetainedRounds(retention)});
  HANSA_TRY_VOID(internal::check_rows(state->parts()));
  HANSA_TRY_VOID(state->clean_up());
  HANSA_TRY_VOID(state->database.empty_wal());
  HANSA_TRY(state->lines, internal::MetricsLog::open(folder / "metrics.jsonl", state->database));
  HANSA_TRY_VOID(flush_folder(folder));
  HANSA_TRY_VOID(flush_folder(std::filesystem::absolute(folder / "..").lexically_normal()));
  return std::unique_ptr<RunFolder>(new RunFolder(std::move(state)));
}

Result<std::unique_ptr<RunFolder>> RunFolder::open_read_only(const std::filesystem::path& folder) {
  HANSA_TRY(const bool has_database, internal::is_there(folder / "run.sqlite"));
  if (!has_database)
    return fail(ErrorCode::storage, folder.string(), "is no run folder: it holds no run.sqlite",
                "restore the file from a copy if the folder held a run");
  HANSA_TRY(auto database, internal::Database::open(folder / "run.sqlite", internal::Access::read_only));
  HANSA_TRY(auto models, internal::ModelFiles::open_read_only(folder / "models"));
  return std::unique_ptr<RunFolder>(
      new RunFolder(std::unique_ptr<State>(new State{folder,
                                                     internal::Access::read_only,
                                                     {},
                                                     std::move(database),
                                                     std::move(models),
                                                     internal::DeltaFiles::open_read_only(folder),
                                                     internal::RetainedRounds({})})));
}

Result<void> RunFolder::begin_run(const RunIdentity& identity, std::span<const float> initial_model) {
  HANSA_TRY_VOID(state_->require_writable());
  HANSA_TRY_VOID(internal::require_initial_model(identity, initial_model, location()));
  HANSA_TRY(const auto kept, state_->database.identity());
  if (kept) return internal::require_same_identity(*kept, identity, location());
  for (const StateVector& state : identity.initial_state)
    HANSA_TRY_VOID(state_->require_vector(state.vector, "vector"));
  HANSA_TRY_VOID(state_->models.put(initial_model));
  HANSA_TRY_VOID(state_->database.keep_identity(identity));
  state_->retained.begin(identity);
  return {};
}

Result<Digest> RunFolder::put_model(std::span<const float> parameters) {
  HANSA_TRY_VOID(state_->require_writable());
  return state_->models.put(parameters);
}

Result<void> RunFolder::get_model(const Digest& digest, std::span<float> parameters) {
  return state_->models.get(digest, parameters);
}

Result<Digest> RunFolder::put_delta(std::span<const std::byte> delta) {
  HANSA_TRY_VOID(state_->require_writable());
  return state_->deltas.put(delta);
}

Result<std::vector<std::byte>> RunFolder::get_delta(const Digest& digest) {
  return state_->deltas.get(digest);
}

bool RunFolder::wants_published_vector(RoundId round) const {
  return state_->retained.wants_published_vector(round);
}

Result<void> RunFolder::commit_round(const RoundRecord& record) {
  HANSA_TRY_VOID(state_->require_writable());
  HANSA_TRY(const RoundId last, state_->last_round());
  HANSA_TRY_VOID(internal::require_next_round(record.round, last, location()));
  HANSA_TRY_VOID(state_->require_vector(record.model, "model"));
  for (const StateVector& state : record.state)
    HANSA_TRY_VOID(state_->require_vector(state.vector, "vector"));
  if (const auto& published = record.published) {
    if (!state_->deltas.contains(published->delta))
      return fail(ErrorCode::storage, location(), "has no delta " + published->delta.brief() + " to commit");
    if (published->vector) HANSA_TRY_VOID(state_->require_vector(*published->vector, "vector"));
  }
  state_->retained.add(internal::held_of(record));
  const internal::Surplus surplus = state_->retained.surplus();
  if (auto committed = state_->database.insert_round(record, surplus); !committed) {
    state_->retained.withdraw(record.round);
    return committed;
  }
  state_->lines->append(internal::round_line(record));
  state_->remove_files(surplus);
  return {};
}

Result<void> RunFolder::record_evaluation(RoundId round, const Metrics& metrics) {
  HANSA_TRY_VOID(state_->require_writable());
  HANSA_TRY(const RoundId last, state_->last_round());
  HANSA_TRY_VOID(internal::require_committed_round(round, last, location()));
  const auto before = state_->retained.set_score(round, state_->retained.score_of(metrics));
  const internal::Surplus surplus = state_->retained.surplus();
  if (auto recorded = state_->database.replace_evaluation(round, metrics, surplus); !recorded) {
    state_->retained.set_score(round, before);
    return recorded;
  }
  state_->lines->append(internal::evaluation_line(round, metrics));
  state_->remove_files(surplus);
  return {};
}

Result<void> RunFolder::record_abandoned(const AbandonedAttempt& attempt) {
  HANSA_TRY_VOID(state_->require_writable());
  return state_->database.insert_abandoned(attempt);
}

Result<std::vector<AbandonedAttempt>> RunFolder::abandoned_attempts() { return state_->database.abandoned(); }

Result<void> RunFolder::record_end(const RunEnd& end) {
  HANSA_TRY_VOID(state_->require_writable());
  return state_->database.replace_end(end);
}

Result<std::optional<RunEnd>> RunFolder::end() {
  HANSA_TRY(auto end, state_->database.end());
  HANSA_TRY(const RoundId last, state_->database.last_round());
  if (end && end->after != last) end.reset();
  return end;
}

Result<std::optional<Store::Position>> RunFolder::position() {
  HANSA_TRY(const auto kept, state_->database.identity());
  if (!kept) return std::nullopt;
  HANSA_TRY(const RoundId last, state_->database.last_round());
  if (last.value == 0) return Position{last, kept->initial_model};
  HANSA_TRY(const auto model, state_->database.round_model(last));
  if (!model) return fail(ErrorCode::storage, location(), "has lost its last round");
  return Position{last, *model};
}

Result<std::optional<RoundRecord>> RunFolder::round(RoundId round) {
  HANSA_TRY(auto records, state_->database.rounds(round, round));
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

Result<std::optional<Metrics>> RunFolder::evaluation(RoundId round) {
  HANSA_TRY(auto found, state_->database.evaluations(round, round));
  if (found.empty()) return std::nullopt;
  return std::move(found.front().second);
}

Result<std::optional<Published>> RunFolder::published(RoundId round) {
  return state_->database.published(round);
}

Result<std::optional<RunIdentity>> RunFolder::identity() { return state_->database.identity(); }
Result<std::vector<RoundRecord>> RunFolder::rounds() {
  return state_->database.rounds(first_round, any_last_round);
}
Result<std::vector<RoundRecord>> RunFolder::rounds(RoundId first, RoundId last) {
  return state_->database.rounds(first, last);
}
Result<std::vector<ClientRound>> RunFolder::rounds_of(const std::string& client, std::size_t most) {
  return state_->database.rounds_of(client, most);
}
Result<std::vector<RoundId>> RunFolder::rounds_without_model() {
  return state_->database.rounds_without_model();
}
Result<std::uint64_t> RunFolder::recovered_clients() { return state_->database.recovered_clients(); }
Result<std::vector<double>> RunFolder::layer_norms(RoundId round) {
  return state_->database.layer_norms(round);
}

Result<std::vector<Arrival>> RunFolder::arrivals(RoundId round) { return state_->database.arrivals(round); }
Result<std::vector<std::pair<RoundId, Metrics>>> RunFolder::evaluations() {
  return state_->database.evaluations(first_round, any_last_round);
}

Result<Digest> RunFolder::put_archive(const std::filesystem::path& archive) {
  HANSA_TRY_VOID(state_->require_writable());
  return copy_file_atomically(archive, archive_path());
}

Result<void> RunFolder::put_layout(std::string_view layout) {
  HANSA_TRY_VOID(state_->require_writable());
  return write_file_atomically(layout_path(), layout);
}

Result<void> RunFolder::put_manifest(std::string_view manifest) {
  HANSA_TRY_VOID(state_->require_writable());
  return write_file_atomically(manifest_path(), manifest);
}

Result<std::optional<std::string>> RunFolder::manifest() {
  std::error_code error;
  if (!std::filesystem::exists(manifest_path(), error)) return std::nullopt;
  HANSA_TRY(auto text, read_text_file(manifest_path(), manifest_bytes_max));
  return text;
}

Result<void> RunFolder::put_configuration(RoundId round, std::string_view text) {
  HANSA_TRY_VOID(state_->require_writable());
  return internal::put_configuration(state_->folder / "config", round, text);
}

Result<std::vector<Run::Configuration>> RunFolder::configurations() {
  return internal::read_configurations(state_->folder / "config");
}

Result<void> RunFolder::put_contract(std::string_view contract) {
  HANSA_TRY_VOID(state_->require_writable());
  return write_file_atomically(contract_path(), contract);
}

Result<std::string> RunFolder::contract() {
  std::error_code error;
  if (!std::filesystem::exists(contract_path(), error)) return std::string();
  return read_text_file(contract_path(), stored_contract_bytes_max);
}

Result<ParameterLayout> RunFolder::layout() {
  HANSA_TRY(const auto kept, state_->database.identity());
  return internal::read_layout(state_->folder, kept);
}

Result<std::filesystem::path> RunFolder::archive_file() {
  std::error_code error;
  if (!std::filesystem::is_regular_file(archive_path(), error))
    return fail(ErrorCode::storage, archive_path().string(), "cannot be read");
  HANSA_TRY(const auto kept, state_->database.identity());
  if (kept && !state_->archive_checked) {
    HANSA_TRY_VOID(internal::check_archive(state_->folder, *kept));
    state_->archive_checked = true;
  }
  return archive_path();
}

Result<ModelFile> RunFolder::model_file(const Digest& digest) {
  if (!state_->models.contains(digest))
    return fail(ErrorCode::storage, location(), "holds no model " + digest.brief());
  std::weak_ptr<const void>& held = state_->holds[digest];
  ModelFile out{model_path(digest), held.lock()};
  if (!out.hold) held = out.hold = std::make_shared<char>();
  return out;
}

Result<std::vector<std::string>> RunFolder::check_newest() { return internal::check_newest(state_->parts()); }
Result<RunCheck> RunFolder::verify() { return internal::check_all(state_->parts()); }

std::string RunFolder::location() const { return state_->folder.string(); }
std::filesystem::path RunFolder::scratch_folder() const { return state_->folder; }
std::filesystem::path RunFolder::archive_path() const { return state_->folder / "archive.pt"; }
std::filesystem::path RunFolder::manifest_path() const { return state_->folder / "archive.pt.manifest"; }
std::filesystem::path RunFolder::contract_path() const { return state_->folder / "contract.toml"; }
std::filesystem::path RunFolder::layout_path() const { return state_->folder / "layout.txt"; }
std::filesystem::path RunFolder::metrics_path() const { return state_->folder / "metrics.jsonl"; }
std::filesystem::path RunFolder::model_path(const Digest& digest) const {
  return state_->models.path(digest);
}

}  // namespace hansa::server
