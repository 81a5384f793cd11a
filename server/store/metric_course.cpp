#include "server/store/metric_course.h"

#include <algorithm>
#include <cmath>

#include "server/retention/retention.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"

namespace hansa::server {

const char* name(MetricOf of) {
  switch (of) {
    case MetricOf::evaluation: return "evaluation";
    case MetricOf::held_out: return "held-out";
    case MetricOf::training: return "training";
  }
  return "";
}

void MetricCourses::add(RoundId round, const Metrics& metrics) {
  constexpr std::size_t names_max = 64;
  for (const Metric& metric : metrics) {
    if (metric.count <= 0) continue;
    const double mean = metric.sum / metric.count;
    auto course = std::ranges::find(courses_, metric.name, &MetricCourse::name);
    if (course == courses_.end()) {
      if (courses_.size() == names_max) continue;
      courses_.push_back({metric.name, of_, round, mean, round, mean});
      continue;
    }
    const bool lower = better_of(metric.name) == Better::lower;
    if (!std::isnan(mean) &&
        (std::isnan(course->best) || (lower ? mean < course->best : mean > course->best))) {
      course->best = mean;
      course->best_round = round;
    }
    course->last = mean;
    course->last_round = round;
  }
}

std::optional<MetricCourse> MetricCourses::course(const std::string& wanted) const {
  const auto found = std::ranges::find(courses_, wanted.empty() ? "accuracy" : wanted, &MetricCourse::name);
  if (found != courses_.end()) return *found;
  if (!wanted.empty() || courses_.empty()) return std::nullopt;
  return courses_.front();
}

RoundMeans means_of(const RoundRecord& record) {
  RoundMeans out{record.round, training_metrics(record), {}, {}};
  if (const auto measured = held_out(record)) {
    out.held_out_of = measured->of_round;
    out.held_out = means_of(*measured);
  }
  return out;
}

void ClientCourses::add(const RoundMeans& round) {
  training_.add(round.round, round.training);
  if (!round.held_out.empty()) held_out_.add(round.held_out_of, round.held_out);
}

std::optional<MetricCourse> ClientCourses::course(std::span<const std::pair<RoundId, Metrics>> evaluations,
                                                  const std::string& wanted) const {
  MetricCourses evaluated(MetricOf::evaluation);
  for (const auto& [round, metrics] : evaluations) evaluated.add(round, metrics);
  for (const MetricCourses* courses : {&std::as_const(evaluated), &held_out_, &training_})
    if (auto course = courses->course(wanted)) return course;
  return std::nullopt;
}

}  // namespace hansa::server
