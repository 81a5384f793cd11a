// Waits for enough clients that can take part, then selects a cohort and starts a round. The first round of a process
// waits up to cohort.gather for clients_expected; after cohort.wait_max with too few clients the federation fails.
#pragma once
#include <string>
#include <vector>

#include "server/coordinator/internal/blame.h"
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

 private:
  // The eligible clients without those that are left out for their faults; all of them if too few would remain.
  [[nodiscard]] std::vector<std::string> ready(Instant now) const;
  // Admitted and not eligible, with the reason where there is one.
  [[nodiscard]] std::vector<std::string> missing() const;
  [[nodiscard]] std::vector<std::string> select(const std::vector<std::string>& eligible, RoundId round);
  [[nodiscard]] std::unique_ptr<Stage> start_round(const std::vector<std::string>& eligible, Turn& turn);

  std::uint32_t attempt_;
  Instant not_before_;
};

// The phase after an attempt that failed: the same round again, or the end if attempts_max of them had no remedy.
[[nodiscard]] std::unique_ptr<Stage> try_again(Shared& shared, RoundId round, std::uint32_t attempt,
                                               const std::string& reason, Remedy remedy, Turn& turn);

}  // namespace hansa::server
