// What follows the phases of a cohort, training.h and unmasking.h: the next phase of the federation (selected_rounds.h), or
// the wait of a group for its commit (group.h).
#pragma once
#include <memory>
#include <string>

#include "server/coordinator/effects.h"
#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/exchange.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class AfterSum {
 public:
  virtual ~AfterSum() = default;
  // The sum can be read. commit: makes a model of it.
  [[nodiscard]] virtual std::unique_ptr<Stage> opened(Shared& shared, std::unique_ptr<ActiveRound> round,
                                                      std::unique_ptr<Exchange> exchange, CommitRound commit,
                                                      Turn& turn) = 0;
  // The attempt failed, and its exchange has ended.
  [[nodiscard]] virtual std::unique_ptr<Stage> abandoned(Shared& shared, const ActiveRound& round,
                                                         const AttemptFailure& failure, Turn& turn) = 0;
};

}  // namespace hansa::server
