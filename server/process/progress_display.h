// Shows the progress of a run on stdout: a live panel on a terminal, otherwise plain lines. Not thread-safe.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "common/training.h"
#include "server/coordinator/coordinator.h"
#include "server/store/store.h"

namespace hansa::server {

enum class ProgressStyle : std::uint8_t { live, plain, none };

class ProgressDisplay {
 public:
  ProgressDisplay(ProgressStyle style, std::string title);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // `evaluations` is the number of models that are still to be evaluated.
  void update(const Progress& progress, std::size_t evaluations, std::uint64_t bytes_up,
              std::uint64_t bytes_down, Instant now);
  void committed(const RoundRecord& record, std::uint32_t rounds);
  void evaluated(RoundId round, const Metrics& metrics);
  // Prints a permanent line above the live panel.
  void say(const std::string& line);
  // Removes the panel. Afterwards the caller may write to stdout.
  void end();

 private:
  void draw(const std::vector<std::string>& lines);
  void erase();

  ProgressStyle style_;
  std::string title_;
  std::size_t drawn_ = 0;  // number of lines of the panel on the screen
  Instant last_drawn_;
  std::string last_plain_;
  std::vector<double> round_seconds_;
  std::optional<std::pair<RoundId, Metrics>> evaluated_;  // the newest evaluated round
};

// "12.3 MB"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace hansa::server
