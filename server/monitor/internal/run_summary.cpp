#include "server/monitor/internal/run_summary.h"

#include <nlohmann/json.hpp>

#include "common/text.h"

namespace hansa::server::internal {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

// "accuracy", "held-out accuracy", "training loss"
std::string name_of(const MetricCourse& course) {
  if (course.of == MetricOf::evaluation) return course.name;
  return std::string(name(course.of)) + " " + course.name;
}

}  // namespace

Json api_run(RunSource& run, const FederationConfig* config) {
  const auto& identity = run.identity();
  Json out{{"run", run.name()},
           {"federation", identity ? identity->federation : ""},
           {"kind", identity && identity->kind == RunKind::simulated ? "simulated" : "production"},
           {"state", name(run.state())}};
  std::optional<MetricCourse> course;
  std::optional<Error> problem = run.problem();
  if (!problem && identity) {
    auto read = run.course();
    if (read) course = std::move(*read);
    else problem = std::move(read).error();
  }
  if (problem) {
    out["state"] = name(RunState::unreadable);
    out["problem"] = printable(problem->text());
  }
  out["rounds"] = run.last_round().value;
  out["rounds_configured"] = nullptr;
  if (config != nullptr && config->rounds > 0) out["rounds_configured"] = config->rounds;
  out["started_at"] = text_or_null(run.started_at());
  out["last_round_at"] = text_or_null(run.last_round_at());
  out["started_from"] = identity ? identity->started_from : "";
  out["best"] = nullptr;
  out["last"] = nullptr;
  if (!course) return out;
  // A mean that is not a number is the best one only if there is no other.
  out["best"] = {{"round", course->best_round.value}, {"metric", name_of(*course)}, {"value", course->best}};
  out["last"] = {{"metric", name_of(*course)}, {"value", course->last}};
  return out;
}

}  // namespace hansa::server::internal
