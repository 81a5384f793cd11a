#include "server/monitor/run_source.h"

#include <algorithm>
#include <sys/stat.h>

#include "common/folder_lock.h"
#include "server/monitor/run_json.h"
#include "server/store/round_lines.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

// Rounds that are in memory at the same time, with all of their participants.
constexpr std::uint32_t rounds_at_once = 64;

fs::file_time_type time_of(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  return error ? fs::file_time_type::min() : time;
}
std::uintmax_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace

RunSource::RunSource(ListedRun listed)
    : listed_(std::move(listed)), started_at_(time_in_run_name(listed_.name)) {}

RunSource::Stamp RunSource::stamp() const {
  const fs::path database = listed_.folder / "run.sqlite", wal = listed_.folder / "run.sqlite-wal";
  Stamp out;
  struct stat status {};
  if (::stat(database.c_str(), &status) == 0) out.inode = status.st_ino;
  out.sizes = {size_of(database), size_of(wal)};
  // Whoever opens the database makes an empty WAL file.
  out.times = {time_of(database), out.sizes[1] > 0 ? time_of(wal) : fs::file_time_type::min(),
               time_of(listed_.folder / "config")};
  return out;
}

Result<void> RunSource::refresh() {
  const bool is_running = is_folder_locked(listed_.folder);
  const Stamp now = stamp();
  if (listed_.problem) problem_ = listed_.problem;
  else if (now != read_at_) {
    if (read_at_ && read_at_->inode != now.inode) forget();
    read_at_.reset();
    auto read = read_changes();
    if (!read) forget();
    problem_ = read ? std::nullopt : std::optional(std::move(read).error());
    // Two writes within a tick of the file system's clock have the same time: what was written just now is read again.
    constexpr auto settled_after = std::chrono::seconds(2);
    const bool is_settled = std::ranges::max(now.times) + settled_after < fs::file_time_type::clock::now();
    if (read && is_settled) read_at_ = now;
  }
  state_ = problem_     ? RunState::unreadable
           : is_running ? RunState::running
           : !identity_ ? RunState::empty
           : end_       ? RunState::finished
                        : RunState::stopped;
  if (problem_) return tl::unexpected<Error>(*problem_);
  return {};
}

void RunSource::forget() {
  close();
  drop_texts();
  identity_.reset();
  last_ = {};
  started_at_ = time_in_run_name(listed_.name);
  last_round_at_.clear();
  end_.reset();
  evaluations_.clear();
  without_model_.clear();
  configuration_.reset();
  courses_ = {};
  courses_through_ = {};
}

void RunSource::drop_texts() {
  texts_.clear();
  bytes_ = 0;
}

Result<Run*> RunSource::open() {
  if (!run_) {
    HANSA_TRY(run_, open_run_read_only(listed_.folder));
  }
  return run_.get();
}

Result<void> RunSource::read_changes() {
  HANSA_TRY(const bool is_empty,
            open_catalogue(listed_.folder.parent_path())->is_empty(listed_.folder.filename().string()));
  if (is_empty) {
    forget();
    return {};
  }
  close();
  HANSA_TRY(Run * run, open());
  HANSA_TRY(auto identity, run->identity());
  HANSA_TRY(const auto position, run->position());
  const RoundId last = position ? position->round : RoundId{};
  const bool is_same = identity && identity_ && identity->run == identity_->run &&
                       identity->seed == identity_->seed && identity->archive == identity_->archive &&
                       identity->initial_model == identity_->initial_model && last >= last_;
  if (!is_same) {
    forget();
    HANSA_TRY(run, open());
  }
  identity_ = std::move(identity);
  if (!identity_) return {};
  last_ = last;
  HANSA_TRY(end_, run->end());
  HANSA_TRY(evaluations_, run->evaluations());
  HANSA_TRY(without_model_, run->rounds_without_model());
  // A folder may have another name than its run.
  if (std::string recorded = time_in_run_name(identity_->run); !recorded.empty())
    started_at_ = std::move(recorded);
  if (last_.value > 0) {
    if (started_at_.empty()) {
      HANSA_TRY(const auto first, run->round(RoundId(1)));
      if (first) started_at_ = first->started_at;
    }
    HANSA_TRY(const auto newest, run->round(last_));
    if (newest) {
      last_round_at_ = newest->started_at;
      keep(*newest);
    }
  }
  read_configuration();
  return {};
}

// A file that an older or newer Hansa wrote may have other keys.
void RunSource::read_configuration() {
  configuration_.reset();
  const auto all = run_->configurations();
  if (!all || all->empty()) return;
  const fs::path file =
      listed_.folder / "config" / ("after-" + std::to_string(all->back().after.value) + ".toml");
  if (auto read = read_federation_config(file)) configuration_ = std::move(*read);
}

void RunSource::keep(const RoundRecord& record) {
  std::string& text = texts_[record.round];
  bytes_ -= text.size();
  text = round_text(record);
  bytes_ += text.size();
}

const Metrics* RunSource::evaluation(RoundId round) const {
  const auto found = std::ranges::lower_bound(evaluations_, round, {}, &std::pair<RoundId, Metrics>::first);
  return found != evaluations_.end() && found->first == round ? &found->second : nullptr;
}

std::vector<RoundId> RunSource::evaluated_rounds() const {
  std::vector<RoundId> out;
  for (const auto& [round, metrics] : evaluations_) out.push_back(round);
  return out;
}

// A run of 10,000 rounds with 100 clients has millions of rows, and 10,000 lines.
Result<void> RunSource::read_lines(Run& run) {
  std::vector<RoundLine> lines = read_round_lines(listed_.folder / "metrics.jsonl");
  if (lines.size() > last_.value) lines.resize(last_.value);  // committed since last_ was read
  if (lines.empty()) return {};
  HANSA_TRY(const auto newest, run.round(lines.back().means.round));
  if (!newest || newest->model.text() != lines.back().model) return {};  // of another run
  for (const RoundLine& line : lines) courses_.add(line.means);
  courses_through_ = lines.back().means.round;
  return {};
}

Result<void> RunSource::read_courses() {
  HANSA_TRY(Run * run, open());
  if (courses_through_ == RoundId{}) HANSA_TRY_VOID(read_lines(*run));
  while (courses_through_ < last_) {
    const RoundId first(courses_through_.value + 1);
    const RoundId last(std::min(last_.value, courses_through_.value + rounds_at_once));
    HANSA_TRY(const auto records, run->rounds(first, last));
    if (records.empty()) return fail(ErrorCode::storage, run->location(), "has lost rounds");
    for (const RoundRecord& record : records) {
      courses_.add(means_of(record));
    }
    courses_through_ = records.back().round;
  }
  return {};
}

Result<std::optional<MetricCourse>> RunSource::course() {
  if (auto evaluated = ClientCourses().course(evaluations_)) return evaluated;
  HANSA_TRY_VOID(read_courses());
  return courses_.course({});
}

Result<std::vector<std::string>> RunSource::round_texts(std::span<const RoundId> wanted) {
  for (std::size_t at = 0; at < wanted.size();) {
    if (texts_.contains(wanted[at])) {
      ++at;
      continue;
    }
    // Consecutive rounds are read at once.
    const RoundId first = wanted[at];
    RoundId last = first;
    for (++at; at < wanted.size() && wanted[at].value == last.value + 1 && !texts_.contains(wanted[at]) &&
               last.value - first.value + 1 < rounds_at_once;
         ++at)
      last = wanted[at];
    HANSA_TRY(Run * run, open());
    HANSA_TRY(const auto records, run->rounds(first, last));
    for (const RoundRecord& record : records) keep(record);
  }
  std::vector<std::string> out;
  for (const RoundId round : wanted) {
    const auto text = texts_.find(round);
    if (text == texts_.end())
      return fail(ErrorCode::storage, listed_.folder.string(), "has no round " + std::to_string(round.value));
    const bool is_removed = std::ranges::binary_search(without_model_, round);
    out.push_back(complete_round(text->second, {!is_removed, evaluation(round)}));
  }
  return out;
}

}  // namespace hansa::server
