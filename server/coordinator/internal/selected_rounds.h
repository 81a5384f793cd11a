// Rounds of a cohort: clients are selected, and the round waits for them (training.h).
#pragma once
#include "server/coordinator/internal/after_sum.h"
#include "server/coordinator/internal/round_mode.h"

namespace hansa::server {

class SelectedRounds final : public RoundMode, private AfterSum {
 public:
  [[nodiscard]] std::unique_ptr<Stage> start(Shared& shared, const std::vector<std::string>& ready,
                                             std::uint32_t attempt, Turn& turn) override;

 private:
  // AfterSum: the commit, or another attempt.
  [[nodiscard]] std::unique_ptr<Stage> opened(Shared& shared, std::unique_ptr<ActiveRound> round,
                                              std::unique_ptr<Exchange> exchange, CommitRound commit,
                                              Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> abandoned(Shared& shared, const ActiveRound& round,
                                                 const AttemptFailure& failure, Turn& turn) override;
};

}  // namespace hansa::server
