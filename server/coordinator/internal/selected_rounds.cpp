#include "server/coordinator/internal/selected_rounds.h"

#include <algorithm>
#include <cmath>

#include "common/random.h"
#include "server/coordinator/internal/candidates.h"
#include "server/coordinator/internal/cohort_round.h"
#include "server/coordinator/internal/committing.h"
#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/gathering.h"
#include "server/coordinator/internal/training.h"
#include "server/coordinator/task_id.h"
#include "server/selection/quorum.h"

namespace hansa::server {
namespace {

// At least 1, at most `of`.
std::uint32_t part_of(double fraction, std::size_t of) {
  // The small subtraction keeps 0.7 * 10 at 7 although the product is a little more.
  const double exact = std::ceil(fraction * static_cast<double>(of) - 1e-9);
  return static_cast<std::uint32_t>(std::clamp(exact, 1.0, static_cast<double>(of)));
}

// How many clients a round is to have.
std::uint32_t wanted(const Shared& shared, std::size_t eligible) {
  const CohortConfig& cohort = shared.config.settings.cohort;
  std::uint32_t size = std::max(part_of(cohort.fraction, eligible), shared.exchanges->cohort_min());
  if (cohort.size_max > 0) size = std::min(size, cohort.size_max);
  return std::min({size, shared.exchanges->cohort_max(), static_cast<std::uint32_t>(eligible)});
}

// wanted() of them, or more if some are expected to drop out.
std::vector<std::string> select(Shared& shared, const std::vector<std::string>& eligible, RoundId round) {
  const CohortConfig& cohort = shared.config.settings.cohort;
  std::uint32_t size = wanted(shared, eligible.size());
  if (cohort.over_select)
    size = std::min({shared.drop_rate.with_spares(size), shared.exchanges->cohort_max(),
                     static_cast<std::uint32_t>(eligible.size())});
  if (shared.search.is_active() && eligible.size() >= cohort.clients_min)
    if (auto out = shared.search.next(eligible, cohort.clients_min, std::max(size, cohort.clients_min));
        !out.empty())
      return out;
  return choose(shared, eligible, size, round,
                derive_seed(shared.config.settings.seed, "cohort", round.value));
}

}  // namespace

std::unique_ptr<Stage> SelectedRounds::start(Shared& shared, const std::vector<std::string>& ready,
                                             std::uint32_t attempt, Turn& turn) {
  const OperatorSettings& settings = shared.config.settings;
  const RoundId id(shared.standing.last_committed.value + 1);
  const auto cohort = select(shared, ready, id);
  const auto size = static_cast<std::uint32_t>(cohort.size());
  const std::uint32_t quorum =
      std::max(quorum_of(settings.cohort.quorum, std::min(size, wanted(shared, ready.size()))),
               std::min(shared.exchanges->updates_min(size), size));
  auto round = round::Round::create(id, round::Config{quorum, turn.now + settings.cohort.deadline}, cohort);
  if (!round)
    return std::make_unique<Concluded>(shared, Finish{Finish::Why::gave_up, round.error().text()}, turn);
  shared.uploads.drop_all(turn);
  turn.effects.emplace_back(RoundStarted{id, size});
  auto begun = make_cohort_round(shared, cohort, std::move(*round),
                                 {{id, shared.opened_sums},
                                  attempt,
                                  0,
                                  std::make_shared<const PublishedModel>(shared.standing.published),
                                  shared.measure()},
                                 turn);
  if (!begun) return try_again(shared, id, attempt, {AbandonCause::cohort, begun.error().text()}, turn);
  return std::make_unique<Training>(shared, std::move(begun->round), std::move(begun->exchange),
                                    static_cast<AfterSum&>(*this), turn);
}

std::unique_ptr<Stage> SelectedRounds::opened(Shared& shared, std::unique_ptr<ActiveRound> round,
                                              std::unique_ptr<Exchange> exchange, CommitRound commit,
                                              Turn& turn) {
  return std::make_unique<Committing>(shared, std::move(round), std::move(exchange), std::move(commit), turn);
}

std::unique_ptr<Stage> SelectedRounds::abandoned(Shared& shared, const ActiveRound& round,
                                                 const AttemptFailure& failure, Turn& turn) {
  return try_again(shared, round.id(), round.attempt(), failure, turn);
}

}  // namespace hansa::server
