// How a metric went over the rounds of a run: its best and its last value. Pure; one thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/identifiers.h"
#include "common/training.h"
#include "server/store/store.h"

namespace hansa::server {

// What a metric is measured on: the first of these that the run has.
enum class MetricOf : std::uint8_t {
  evaluation,  // by the aggregator
  held_out,  // on the examples that the clients hold out
  training,
};
[[nodiscard]] const char* name(MetricOf of);

struct MetricCourse {
  std::string name;
  MetricOf of = MetricOf::evaluation;
  RoundId best_round;
  double best = 0;  // higher or lower is better by the metric's name (server/retention/retention.h)
  RoundId last_round;
  double last = 0;
};

// The courses of all metrics of one kind; of the first 64 names.
class MetricCourses {
 public:
  explicit MetricCourses(MetricOf of) : of_(of) {}
  // In the order of the rounds. A mean that is not a number is the worst.
  void add(RoundId round, const Metrics& metrics);
  // wanted: a name, or empty: accuracy if the run has it, else its first metric. Empty: the run does not have it.
  [[nodiscard]] std::optional<MetricCourse> course(const std::string& wanted = {}) const;

 private:
  MetricOf of_;
  std::vector<MetricCourse> courses_;
};

// What the clients of a round measured, as means.
struct RoundMeans {
  RoundId round;
  Metrics training;
  RoundId held_out_of;  // the round whose model `held_out` is about
  Metrics held_out;  // empty: nothing was measured
};
[[nodiscard]] RoundMeans means_of(const RoundRecord& record);

// What the clients of a run measured, round by round, so that a run that grows is read once.
class ClientCourses {
 public:
  // In the order of the rounds.
  void add(const RoundMeans& round);
  // Of the evaluations, of held-out examples, or of the training: the first of them that has any metric, and in it `wanted`
  // as above.
  [[nodiscard]] std::optional<MetricCourse> course(std::span<const std::pair<RoundId, Metrics>> evaluations,
                                                   const std::string& wanted = {}) const;

 private:
  MetricCourses held_out_{MetricOf::held_out};
  MetricCourses training_{MetricOf::training};
};

}  // namespace hansa::server
