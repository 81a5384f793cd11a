// Appends what a run has to its TensorBoard event file while the aggregator works on it, on a thread of its own: neither
// a slow nor a full disk delays a round.
//
// The thread reads the run through its own read-only connection, so that the run is the only source: what a crash or a
// full disk kept out of the file is appended when it can be.
#pragma once
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "common/error.h"
#include "common/identifiers.h"

namespace hansa::server {

// The public functions do not wait for the disk, except finish() and the destructor. Thread-safe.
class OutputWriter {
 public:
  // run: a run folder that has begun. tensorboard: the folder of [output] tensorboard. Begins with what the file lacks.
  OutputWriter(std::filesystem::path run, std::filesystem::path tensorboard);
  ~OutputWriter();
  OutputWriter(const OutputWriter&) = delete;
  OutputWriter& operator=(const OutputWriter&) = delete;

  // The run has committed this round, and all before it. Does nothing if that is known.
  void committed(RoundId round);
  // The run has the evaluation of this round.
  void evaluated(RoundId round);

  // Why the file is incomplete, once for each writer: a later failure is not reported again.
  [[nodiscard]] std::optional<std::string> take_problem();
  // Waits until everything that was announced is appended, or has failed, and ends the thread.
  void finish();

 private:
  struct Work {
    RoundId committed;
    std::set<RoundId> evaluated;
  };
  class Appender;
  void serve();
  void report(const Error& error);

  const std::filesystem::path run_;
  const std::filesystem::path tensorboard_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Work work_;  // since the thread last looked
  RoundId newest_;
  bool is_due_ = true;
  bool stopping_ = false;
  bool has_reported_ = false;
  std::optional<std::string> problem_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace hansa::server
