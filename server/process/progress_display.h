// Shows the progress of a run on stdout: a live panel on a terminal, otherwise a line for each event. Not thread-safe.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "common/training.h"
#include "server/coordinator/progress.h"
#include "server/divergence/best_round.h"
#include "server/store/held_out.h"
#include "server/store/store.h"

namespace hansa::server {

enum class ProgressStyle : std::uint8_t { live, plain, none };

// What the operator reads when the program has ended.
struct RunSummary {
  std::uint32_t rounds = 0;  // committed since the start
  std::uint64_t updates = 0;  // counted in them
  std::vector<std::string> lost;  // "hospital-c (rejected 2)": the clients whose updates were not counted
  Metrics training;  // of the last committed round, also one before the start
  std::optional<HeldOut> held_out;  // the newest measurement on the clients
  std::vector<std::string> warnings;  // the last ones
};

// "9 of 10 clients counted, lost pi-03 (absent), 12.3 s, model 5f3a..."
[[nodiscard]] std::string text_of_committed(const RoundRecord& record);

class ProgressDisplay {
 public:
  ProgressDisplay(ProgressStyle style, std::string title);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // A round of a resumed run, before the first update().
  void restored(const RoundRecord& record);
  // `evaluations` is the number of models that are still to be evaluated.
  void update(const Progress& progress, std::size_t evaluations, std::uint64_t bytes_up,
              std::uint64_t bytes_down, Instant now);
  void committed(const RoundRecord& record, std::uint32_t rounds);
  void evaluated(RoundId round, const Metrics& metrics, const std::optional<BestRound>& best);
  void restored_evaluation(RoundId round, const Metrics& metrics);
  void set_best(const std::optional<BestRound>& best);
  // Keeps a warning on the panel. The caller logs it, too.
  void warn(const std::string& text);
  // Prints a permanent line above the live panel; with its time, if stdout is no terminal.
  void say(const std::string& line);
  // Removes the panel. Afterwards the caller may write to stdout.
  void end();
  [[nodiscard]] RunSummary summary() const;

 private:
  struct State;
  void take(const RoundRecord& record);
  void draw(const std::vector<std::string>& lines);
  void erase();

  ProgressStyle style_;
  std::unique_ptr<State> state_;
  std::size_t drawn_ = 0;  // number of lines of the panel on the screen
  Instant last_drawn_;
};

}  // namespace hansa::server
