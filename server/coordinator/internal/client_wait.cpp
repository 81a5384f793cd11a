#include "server/coordinator/internal/client_wait.h"

#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/waiting.h"

namespace hansa::server {

std::unique_ptr<Stage> ClientWait::check(Shared& shared, std::size_t ready, Instant since, Turn& turn) {
  const CohortConfig& cohort = shared.config.settings.cohort;
  const Duration waited = turn.now - since;
  const bool is_over = cohort.wait_max > Duration::zero() && waited >= cohort.wait_max;
  if (!is_over && (waited < WaitReport::grace || turn.now < look_again_)) return nullptr;
  look_again_ = turn.now + std::chrono::seconds(1);
  Waiting waiting = describe_waiting(shared, ready, turn.now);
  if (is_over)
    return std::make_unique<Concluded>(
        shared,
        Finish{Finish::Why::gave_up,
               "waited " + std::to_string(cohort.wait_max / std::chrono::seconds(1)) +
                   " s (cohort.wait_s) for " + waiting.text,
               std::move(waiting.hint)},
        turn);
  const bool is_for_data = waiting.what == Waiting::For::new_data;
  if (!shared.wait_report.take_due(is_for_data ? "new data" : "clients", waited, turn.now)) return nullptr;
  if (is_for_data) turn.inform("waiting for " + waiting.text, LogEvent::round_waiting);
  else turn.warn("waiting for " + waiting.text + "; " + waiting.hint, LogEvent::round_waiting);
  return nullptr;
}

}  // namespace hansa::server
