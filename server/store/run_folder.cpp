#include "server/store/run_folder.h"

#include <limits>

#include <fcntl.h>

#include "common/files.h"
#include "common/folder_lock.h"
#include "server/store/internal/database.h"
#include "server/store/internal/identity.h"
#include "server/store/internal/metrics_lines.h"
#include "server/store/internal/model_files.h"

namespace hansa::server {
namespace {

constexpr RoundId first_round{0};
constexpr RoundId any_last_round{std::numeric_limits<std::uint32_t>::max()};

// A folder's new names (run.sqlite, models, lock, the folder itself) survive a power cut from here on.
Result<void> flush_folder(const std::filesystem::path& folder) {
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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
  std::optional<internal::MetricsLines> lines;  // empty: out of step with the database

  std::filesystem::path delta_path(const Digest& digest) const {
    return folder / "steps" / (digest.hex() + ".step");
  }
  Result<void> require_writable() const {
    if (access == internal::Access::read_write) return {};
    return fail(ErrorCode::usage, folder.string(), "is open for reading only");
  }
  Result<RoundId> last_round() {
    HANSA_TRY(const auto identity, database.identity());
    if (!identity) return internal::fail_not_begun(folder.string());
    return database.last_round();
  }

  // Brings metrics.jsonl into step: appends what the database has and the file has not.
  Result<void> catch_up() {
    lines.reset();
    internal::MetricsLines::Found found;
    HANSA_TRY(auto opened, internal::MetricsLines::open(folder / "metrics.jsonl", found));
    HANSA_TRY(const RoundId last, database.last_round());
    HANSA_TRY(const auto evaluations, database.evaluations(first_round, any_last_round));
    auto next = evaluations.begin();
    // An evaluation's line follows its round's where both are missing.
    const auto append_evaluations = [&](RoundId through) -> Result<void> {
      for (; next != evaluations.end() && next->first <= through; ++next) {
        const std::string line = internal::evaluation_line(next->first, next->second);
        const auto kept = found.evaluations.find(next->first.value);
        if (kept == found.evaluations.end() || kept->second != line) HANSA_TRY_VOID(opened.append(line));
      }
      return {};
    };
    for (std::uint32_t round = 1; round <= last.value; ++round) {
      if (found.rounds.contains(round)) continue;
      HANSA_TRY_VOID(append_evaluations(RoundId{round - 1}));
      HANSA_TRY(const auto records, database.rounds(RoundId{round}, RoundId{round}));
      for (const RoundRecord& record : records) HANSA_TRY_VOID(opened.append(internal::round_line(record)));
    }
    HANSA_TRY_VOID(append_evaluations(any_last_round));
    lines = std::move(opened);
    return {};
  }

  // The database has committed: that metrics.jsonl cannot follow now (a full disk) must not turn a
  // success into a failure. It catches up at the next line or the next open.
  void append_line(const std::string& line) {
    if (!lines) {
      (void)catch_up();
    } else if (!lines->append(line)) {
      lines.reset();
    }
  }
};

RunFolder::RunFolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunFolder::~RunFolder() = default;

Result<std::unique_ptr<RunFolder>> RunFolder::open(const std::filesystem::path& folder) {
  HANSA_TRY_VOID(make_folders(folder));
  HANSA_TRY(auto lock, lock_folder(folder, "stop that aggregator, or give this one another run"));
  HANSA_TRY(auto database, internal::Database::open(folder / "run.sqlite", internal::Access::read_write));
  HANSA_TRY(auto models, internal::ModelFiles::open(folder / "models"));
  HANSA_TRY_VOID(make_folders(folder / "steps"));
  HANSA_TRY_VOID(remove_unfinished(folder / "steps"));
  auto state = std::unique_ptr<State>(new State{folder, internal::Access::read_write, std::move(lock),
                                                std::move(database), std::move(models), std::nullopt});
  HANSA_TRY_VOID(state->catch_up());
  HANSA_TRY_VOID(flush_folder(folder));
  HANSA_TRY_VOID(flush_folder(std::filesystem::absolute(folder / "..").lexically_normal()));
  return std::unique_ptr<RunFolder>(new RunFolder(std::move(state)));
}

Result<std::unique_ptr<RunFolder>> RunFolder::open_read_only(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder / "run.sqlite", ignored))
    return fail(ErrorCode::storage, folder.string(), "is no run folder: it holds no run.sqlite");
  HANSA_TRY(auto database, internal::Database::open(folder / "run.sqlite", internal::Access::read_only));
  HANSA_TRY(auto models, internal::ModelFiles::open_read_only(folder / "models"));
  return std::unique_ptr<RunFolder>(new RunFolder(std::unique_ptr<State>(new State{
      folder, internal::Access::read_only, {}, std::move(database), std::move(models), std::nullopt})));
}

Result<void> RunFolder::begin_run(const RunIdentity& identity, std::span<const float> initial_model) {
  const std::string place = state_->folder.string();
  HANSA_TRY_VOID(state_->require_writable());
  HANSA_TRY_VOID(internal::require_initial_model(identity, initial_model, place));
  HANSA_TRY(const auto kept, state_->database.identity());
  if (kept) return internal::require_same_identity(*kept, identity, place);
  HANSA_TRY_VOID(state_->models.put(initial_model));
  return state_->database.keep_identity(identity);
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
  const Digest digest = sha256(delta);
  HANSA_TRY_VOID(write_file_atomically(state_->delta_path(digest), delta));
  return digest;
}

Result<std::vector<std::byte>> RunFolder::get_delta(const Digest& digest) {
  const auto path = state_->delta_path(digest);
  HANSA_TRY(auto delta, read_binary_file(path, delta_bytes_max));
  if (sha256(std::span<const std::byte>(delta)) != digest)
    return fail(ErrorCode::storage, path.string(), "is damaged: its content does not match its name");
  return delta;
}

Result<void> RunFolder::commit_round(const RoundRecord& record) {
  const std::string place = state_->folder.string();
  HANSA_TRY_VOID(state_->require_writable());
  HANSA_TRY(const RoundId last, state_->last_round());
  HANSA_TRY_VOID(internal::require_next_round(record.round, last, place));
  if (!state_->models.contains(record.model))
    return fail(ErrorCode::storage, place, "has no model " + record.model.brief() + " to commit");
  std::error_code error;
  if (record.published && !std::filesystem::exists(state_->delta_path(record.published->delta), error))
    return fail(ErrorCode::storage, place, "has no step " + record.published->delta.brief() + " to commit");
  HANSA_TRY_VOID(state_->database.insert_round(record));
  state_->append_line(internal::round_line(record));
  return {};
}

Result<void> RunFolder::record_evaluation(RoundId round, const Metrics& metrics) {
  HANSA_TRY_VOID(state_->require_writable());
  HANSA_TRY(const RoundId last, state_->last_round());
  HANSA_TRY_VOID(internal::require_committed_round(round, last, state_->folder.string()));
  HANSA_TRY_VOID(state_->database.replace_evaluation(round, metrics));
  state_->append_line(internal::evaluation_line(round, metrics));
  return {};
}

Result<std::optional<Store::Position>> RunFolder::position() {
  HANSA_TRY(const auto kept, state_->database.identity());
  if (!kept) return std::nullopt;
  HANSA_TRY(const RoundId last, state_->database.last_round());
  if (last.value == 0) return Position{last, kept->initial_model};
  HANSA_TRY(const auto model, state_->database.round_model(last));
  if (!model) return fail(ErrorCode::storage, state_->folder.string(), "has lost its last round");
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

std::filesystem::path RunFolder::folder() const { return state_->folder; }
std::filesystem::path RunFolder::archive_path() const { return state_->folder / "archive.pt"; }
std::filesystem::path RunFolder::layout_path() const { return state_->folder / "layout.txt"; }
std::filesystem::path RunFolder::metrics_path() const { return state_->folder / "metrics.jsonl"; }
std::filesystem::path RunFolder::model_path(const Digest& digest) const {
  return state_->models.path(digest);
}

}  // namespace hansa::server
