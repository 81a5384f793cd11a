// Waits for enough clients that can take part, then starts a round (round_mode.h). The first round of a process
// waits up to cohort.gather for clients_expected. A wait for clients or for new data of theirs is reported, and ends the
// federation only after cohort.wait_max, if that is set. The first attempt at a round also waits for the schedule.
#pragma once
#include <string>
#include <vector>

#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/client_wait.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Gathering final : public Stage {
 public:
  // attempt: the number of the next attempt at the round, from 1. not_before: the earliest time at which it starts.
  Gathering(Shared& shared, std::uint32_t attempt, Instant not_before, Turn& turn)
      : Stage(shared, turn.now), attempt_(attempt), not_before_(not_before) {}

  [[nodiscard]] Phase phase() const override { return Phase::gathering; }
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  [[nodiscard]] Instant next_tick(Instant now) const override;
  void fill(Progress& progress) const override;
  Reply on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) override;

 private:
  // The eligible clients without those that are left out for their faults; all of them if too few would remain.
  [[nodiscard]] std::vector<std::string> ready(Instant now) const;
  // What the schedule says, asked again once a second.
  [[nodiscard]] const ScheduleDecision& scheduled(Instant now);
  [[nodiscard]] std::unique_ptr<Stage> start_round(const std::vector<std::string>& ready, Turn& turn);

  std::uint32_t attempt_;
  Instant not_before_;
  ClientWait wait_;
  ScheduleDecision scheduled_;
  Instant ask_schedule_{};
};

// The pause before the next attempt, after this many attempts, of which `in_vain` in a row had no remedy.
[[nodiscard]] Duration retry_pause(std::uint32_t attempt, std::uint32_t in_vain);
// Logs and records an attempt that failed. Returns the end of the federation if attempts_max of them had no remedy,
// otherwise null.
[[nodiscard]] std::unique_ptr<Stage> note_abandoned(Shared& shared, RoundId round, std::uint32_t attempt,
                                                    const AttemptFailure& failure, Turn& turn);
// The phase after an attempt that failed: the same round again, or the end if attempts_max of them had no remedy.
[[nodiscard]] std::unique_ptr<Stage> try_again(Shared& shared, RoundId round, std::uint32_t attempt,
                                               const AttemptFailure& failure, Turn& turn);

}  // namespace hansa::server
