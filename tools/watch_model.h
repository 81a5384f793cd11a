// What `hansa watch` knows of a run: the course of a few series, and the last rounds in full. Its size does not depend on
// the number of clients of earlier rounds.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/identifiers.h"
#include "server/output/series.h"
#include "server/store/run.h"

namespace hansa::tools {

// A metric by which a run is judged, over its rounds.
struct Course {
  std::string source;  // "test", "held out" or "training"; empty: nothing was measured
  std::vector<server::SeriesPoint> points;  // with finite values
};

class WatchModel {
 public:
  static constexpr std::size_t rounds_kept = 60;

  // The next round.
  void add(const server::RoundRecord& record);
  void set_evaluations(const std::vector<std::pair<RoundId, Metrics>>& evaluations);
  void set_abandoned(std::vector<server::AbandonedAttempt> attempts) { abandoned_ = std::move(attempts); }
  void set_end(std::optional<server::RunEnd> end) { end_ = std::move(end); }

  [[nodiscard]] RoundId last_round() const { return last_; }
  // "accuracy" or "loss": of the aggregator's evaluations; if there are none, of what clients hold out; else of training.
  [[nodiscard]] Course course(const std::string& metric) const;
  [[nodiscard]] const std::vector<double>& round_seconds() const { return seconds_; }  // of all rounds
  [[nodiscard]] std::optional<double> median_seconds() const;  // of the last 100 rounds
  [[nodiscard]] double last_commit() const { return last_commit_; }  // seconds since 1970; 0: not known
  [[nodiscard]] double bytes_up() const { return bytes_up_; }
  [[nodiscard]] double bytes_down() const { return bytes_down_; }
  [[nodiscard]] const std::deque<server::RoundRecord>& last_rounds() const { return rounds_; }
  [[nodiscard]] const std::vector<server::AbandonedAttempt>& abandoned() const { return abandoned_; }
  [[nodiscard]] const std::optional<server::RunEnd>& end() const { return end_; }
  // Empty: not evaluated.
  [[nodiscard]] const Metrics* evaluation(RoundId round) const;
  [[nodiscard]] const std::map<RoundId, Metrics>& evaluations() const { return evaluations_; }

 private:
  std::map<std::string, std::vector<server::SeriesPoint>, std::less<>> series_;
  std::map<RoundId, Metrics> evaluations_;
  std::vector<double> seconds_;
  std::deque<server::RoundRecord> rounds_;
  std::vector<server::AbandonedAttempt> abandoned_;
  std::optional<server::RunEnd> end_;
  RoundId last_;
  double last_commit_ = 0;
  double bytes_up_ = 0, bytes_down_ = 0;
};

}  // namespace hansa::tools
