#include "server/process/internal/process_observer.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/process/internal/final_report.h"
#include "server/store/held_out.h"

namespace hansa::server::internal {

void ProcessObserver::on_log(const Log& line) {
  const LogFields fields{line.event, line.round, line.client, line.phase};
  switch (line.level) {
    case Log::Level::debug: return log_.debug(line.text, fields);
    case Log::Level::info: return log_.info(line.text, fields);
    case Log::Level::warning: return warn_(line.text, fields);
  }
}

void ProcessObserver::on_round_started(RoundId round, std::uint32_t cohort) {
  log_.note(fmt::format("round {} starts with {} clients", round.value, cohort),
            {.event = LogEvent::round_started, .round = round, .phase = name(Phase::in_round)});
}

void ProcessObserver::on_committed(const RoundRecord& record) {
  book_.on_committed(record);
  const auto problems = watch_.on_committed(record);
  display_.set_best(watch_.best());
  display_.committed(record, config_.rounds);
  log_.note(fmt::format("round {} is committed: {}", record.round.value, text_of_committed(record)),
            {.event = LogEvent::round_committed, .round = record.round, .phase = name(Phase::committing)});
  if (monitor_ != nullptr) monitor_->on_committed(record);
  if (!problems.empty()) on_divergence(record.round, problems);
  if (config_.client_evaluation && !held_out(record) && record.round.value == 1)
    warn_(
        "round 1: no client measured the model on held-out examples ([evaluation] on_clients): they have "
        "too few, they measured this model in an earlier run, or their logs say why",
        {.round = record.round});
  if (record.round.value % std::max(config_.evaluation_every, 1U) == 0 ||
      record.round.value == config_.rounds)
    evaluations_.ask(record.round, record.model);
}

void ProcessObserver::on_divergence(RoundId round, const std::vector<std::string>& problems) {
  const std::string text = divergence_text(round, problems);
  std::string best;
  if (const auto& found = watch_.best(); found && found->round != round) {
    best = "; the best is " + text_of(*found);
    // Another retention may have removed its model. The store is not asked here: another thread may use it.
    if (config_.retention.keep == Retention::Keep::all)
      best += fmt::format(": begin a run from it with \"{}\"",
                          command_from(config_.file.string(), run_, found->round));
  }
  warn_(text + best, {.event = LogEvent::run_diverged, .round = round});
  if (config_.divergence.action == DivergenceAction::stop && watch_.is_certain()) stop_reason_ = text;
}

}  // namespace hansa::server::internal
