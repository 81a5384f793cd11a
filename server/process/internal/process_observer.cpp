#include "server/process/internal/process_observer.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/process/internal/final_report.h"
#include "server/store/held_out.h"

namespace hansa::server::internal {

void ProcessObserver::on_log(Log::Level level, const std::string& text) {
  if (level == Log::Level::info) log_.info(text);
  else warn_(text);
}

void ProcessObserver::on_round_started(RoundId round, std::uint32_t cohort) {
  log_.debug(fmt::format("round {} starts with {} clients", round.value, cohort));
}

void ProcessObserver::on_committed(const RoundRecord& record) {
  book_.on_committed(record);
  const auto problems = watch_.on_committed(record);
  display_.set_best(watch_.best());
  display_.committed(record, config_.rounds);
  if (monitor_ != nullptr) monitor_->on_committed(record);
  if (!problems.empty()) on_divergence(record.round, problems);
  if (config_.client_evaluation && !held_out(record) && record.round.value == 1)
    warn_(
        "round 1: no client measured the model on held-out examples ([evaluation] on_clients): they have "
        "too few, they measured this model in an earlier run, or their logs say why");
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
  warn_(text + best);
  if (config_.divergence.action == DivergenceAction::stop && watch_.is_certain()) stop_reason_ = text;
}

}  // namespace hansa::server::internal
