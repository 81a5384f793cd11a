#include "server/coordinator/internal/cohort_round.h"

#include <utility>

#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/round_method.h"

namespace hansa::server {

Result<CohortRound> make_cohort_round(Shared& shared, const std::vector<std::string>& cohort,
                                      round::Round round, const CohortStart& start, Turn& turn) {
  const OperatorSettings& settings = shared.config.settings;
  const RoundId id = start.work.round;
  const std::uint64_t seed = round_seed(settings.seed, start.work);
  std::vector<Participant> participants(cohort.size());
  for (std::uint32_t i = 0; i < cohort.size(); ++i) {
    Participant& p = participants[i];
    p.client = cohort[i];
    p.index = round::MemberIndex(i);
    p.task = make_task_id(settings.seed, shared.standing.run, start.work, p.client);
    p.seed = messages::training_seed(seed, p.client);
    p.asked_at = turn.now;
  }
  CohortWork work{start.model, method_of_round(settings, {shared.standing.run, id}, cohort, shared.clients),
                  start.measure};
  const messages::TrainTask task =
      make_common_task(shared.config, *work.model, id, work.method, work.measure);
  HANSA_TRY(auto exchange, shared.exchanges->create(
                               {id, start.attempt, cohort, shared.clients, task, seed, start.sum}, turn));
  return CohortRound{std::make_unique<ActiveRound>(std::move(round), start.attempt, turn.now, std::move(work),
                                                   std::move(participants)),
                     std::move(exchange)};
}

}  // namespace hansa::server
