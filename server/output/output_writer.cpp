#include "server/output/output_writer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/output/event_file.h"
#include "server/output/series.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {

// Keeps the file consistent with the run. Used by the thread only.
class OutputWriter::Appender {
 public:
  Appender(std::filesystem::path run, std::filesystem::path tensorboard)
      : folder_(std::move(run)), tensorboard_(std::move(tensorboard)) {}

  // Appends what is new; at first, everything that the file lacks. What fails is tried again at the next call.
  Result<void> append(const Work& work) {
    newest_ = std::max(newest_, work.committed);
    evaluated_.insert(work.evaluated.begin(), work.evaluated.end());
    if (!file_) HANSA_TRY_VOID(open());
    if (!file_) return {};  // nothing is to be written yet
    HANSA_TRY_VOID(append_rounds());
    return append_evaluations(newest_);
  }

 private:
  Result<void> open() {
    if (!run_) {
      HANSA_TRY(run_, open_run_read_only(folder_));
    }
    HANSA_TRY(const auto position, run_->position());
    if (!position || position->round == RoundId{0}) return {};
    HANSA_TRY(const auto first, run_->round(RoundId{1}));
    HANSA_TRY(const auto identity, run_->identity());
    if (!first || !identity) return {};
    HANSA_TRY(const auto evaluations, run_->evaluations());
    started_ = start_time(*first);
    HANSA_TRY(auto file, EventFile::open(event_file_of(tensorboard_, identity->run, started_), started_));
    for (const auto& [round, metrics] : evaluations)
      if (!file.has("evaluation", round)) evaluated_.insert(round);
    newest_ = std::max(newest_, position->round);
    file_ = std::move(file);
    return {};
  }

  // The rounds after those that are written.
  Result<void> append_rounds() {
    HANSA_TRY_VOID(append_evaluations(written_));
    while (written_ < newest_) {
      const RoundId round{written_.value + 1};
      if (!file_->has("round", round)) {
        HANSA_TRY(const auto record, run_->round(round));
        if (!record) return {};
        // What clients held out is in the file if the round that measured it is.
        HANSA_TRY_VOID(file_->append(held_out_row(*record)));
        HANSA_TRY_VOID(file_->append(round_row(*record)));
      }
      written_ = round;
      HANSA_TRY_VOID(append_evaluations(written_));
    }
    return {};
  }

  // Of the rounds up to `last`.
  Result<void> append_evaluations(RoundId last) {
    while (!evaluated_.empty() && *evaluated_.begin() <= last) {
      const RoundId round = *evaluated_.begin();
      double time = started_;
      if (round > RoundId{0}) {
        HANSA_TRY(const auto record, run_->round(round));
        if (record) time = commit_time(*record);
      }
      HANSA_TRY(const auto metrics, run_->evaluation(round));
      if (metrics) HANSA_TRY_VOID(file_->append(evaluation_row(round, *metrics, time)));
      evaluated_.erase(round);
    }
    return {};
  }

  std::filesystem::path folder_, tensorboard_;
  std::unique_ptr<Run> run_;
  std::optional<EventFile> file_;
  double started_ = 0;  // when round 1 did
  RoundId written_;  // the last round that is in the file with all before it
  RoundId newest_;  // of the run
  std::set<RoundId> evaluated_;  // and not yet in the file
};

OutputWriter::OutputWriter(std::filesystem::path run, std::filesystem::path tensorboard)
    : run_(std::move(run)), tensorboard_(std::move(tensorboard)), thread_([this] { serve(); }) {}

OutputWriter::~OutputWriter() { finish(); }

void OutputWriter::committed(RoundId round) {
  {
    const std::lock_guard lock(mutex_);
    if (round <= newest_) return;
    newest_ = work_.committed = round;
    is_due_ = true;
  }
  changed_.notify_all();
}

void OutputWriter::evaluated(RoundId round) {
  {
    const std::lock_guard lock(mutex_);
    work_.evaluated.insert(round);
    is_due_ = true;
  }
  changed_.notify_all();
}

std::optional<std::string> OutputWriter::take_problem() {
  const std::lock_guard lock(mutex_);
  return std::exchange(problem_, std::nullopt);
}

void OutputWriter::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OutputWriter::report(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(has_reported_, true)) problem_ = error.text();
}

void OutputWriter::serve() {
  Appender appender(run_, tensorboard_);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || is_due_; });
    if (!is_due_) return;
    is_due_ = false;
    const Work work = std::exchange(work_, {});
    lock.unlock();
    if (const auto appended = appender.append(work); !appended) report(appended.error());
    lock.lock();
  }
}

}  // namespace hansa::server
