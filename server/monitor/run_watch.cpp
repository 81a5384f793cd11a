#include "server/monitor/run_watch.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "server/monitor/run_json.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

std::string run_event(const std::string& name) { return text_of(Json{{"run", name}}); }

}  // namespace

RunWatch::RunWatch(std::vector<std::filesystem::path> folders, Publish publish)
    : library_(std::move(folders)), publish_(std::move(publish)) {}

void RunWatch::publish_rounds(RunSource& run, RoundId after) {
  std::vector<RoundId> fresh;
  for (std::uint32_t round = after.value + 1; round <= run.last_round().value; ++round)
    fresh.emplace_back(round);
  const auto texts = run.round_texts(fresh);
  if (!texts) return publish_("run", run_event(run.name()));
  for (const std::string& text : *texts)
    publish_("round", "{\"run\":" + text_of(Json(run.name())) + ",\"round\":" + text + "}");
}

void RunWatch::publish_evaluations(const RunSource& run, const Known& before) {
  for (const auto& [round, metrics] : run.evaluations()) {
    const auto known =
        std::ranges::lower_bound(before.evaluations, round, {}, &std::pair<RoundId, Metrics>::first);
    if (known != before.evaluations.end() && known->first == round && known->second == metrics) continue;
    publish_(
        "evaluation",
        text_of(Json{{"run", run.name()}, {"round", round.value}, {"evaluation", api_metrics(metrics)}}));
  }
}

void RunWatch::look() {
  const auto runs = library_.all();
  if (!runs) return;
  std::map<std::string, Known> now;
  for (RunSource* run : *runs) {
    Known& current = now[run->name()] = {run->state(), run->last_round(), run->evaluations()};
    if (!has_looked_) continue;
    const auto before = known_.find(run->name());
    const bool is_known = before != known_.end() && before->second.last <= current.last;
    const std::uint32_t fresh = is_known ? current.last.value - before->second.last.value : 0;
    if (!is_known || before->second.state != current.state || fresh > rounds_published_max)
      publish_("run", run_event(run->name()));
    if (!is_known) continue;
    if (fresh > 0 && fresh <= rounds_published_max) publish_rounds(*run, before->second.last);
    if (before->second.evaluations != current.evaluations) publish_evaluations(*run, before->second);
  }
  if (has_looked_)
    for (const auto& [name, gone] : known_)
      if (!now.contains(name)) publish_("run", run_event(name));
  known_ = std::move(now);
  has_looked_ = true;
  library_.tidy();
}

}  // namespace hansa::server
