// Begins the work of a cohort: the tasks of its clients, and their exchange.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/round/round.h"
#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/exchange.h"
#include "server/coordinator/internal/stage.h"
#include "server/coordinator/task_id.h"

namespace hansa::server {

struct CohortRound {
  std::unique_ptr<ActiveRound> round;
  std::unique_ptr<Exchange> exchange;
};
struct CohortStart {
  Work work;
  std::uint32_t attempt = 1;
  SumNumber sum = 0;
  std::shared_ptr<const PublishedModel> model;  // that the cohort trains
  Measure measure = Measure::no;
};
// round: of work.round and this cohort, which is sorted. Fails (quorum, usage) if the cohort cannot form an exchange.
[[nodiscard]] Result<CohortRound> make_cohort_round(Shared& shared, const std::vector<std::string>& cohort,
                                                    round::Round round, const CohortStart& start, Turn& turn);

}  // namespace hansa::server
