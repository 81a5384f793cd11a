#include "server/coordinator/internal/group.h"

#include <algorithm>
#include <utility>

#include "server/coordinator/internal/training.h"

namespace hansa::server {
namespace {

// Nothing is expected from the clients any more: every event is stale.
class Settled final : public Stage {
 public:
  Settled(Shared& shared, Instant now) : Stage(shared, now) {}
  [[nodiscard]] Phase phase() const override { return Phase::committing; }
  [[nodiscard]] std::unique_ptr<Stage> next(Turn&) override { return nullptr; }
};

}  // namespace

Group::Group(Shared& shared, CohortRound cohort, const CohortStart& start, Turn& turn)
    : shared_(shared),
      work_(start.work),
      sum_(start.sum),
      model_(start.model),
      clients_(cohort.round->names()),
      round_(cohort.round.get()),
      exchange_(cohort.exchange.get()),
      stage_(std::make_unique<Training>(shared, std::move(cohort.round), std::move(cohort.exchange),
                                        static_cast<AfterSum&>(*this), turn)) {}

void Group::advance(Turn& turn) {
  while (auto next = stage_->next(turn)) stage_ = std::move(next);
}

bool Group::has(std::string_view client) const { return std::ranges::binary_search(clients_, client); }

std::vector<std::string> Group::by_readiness() const {
  if (round_ == nullptr) return order_;
  std::vector<const Participant*> done, others;
  for (const Participant& p : round_->participants())
    (round_->state(p) == round::MemberState::counted ? done : others).push_back(&p);
  std::ranges::stable_sort(done, {}, &Participant::seconds);
  std::vector<std::string> out;
  for (const auto& part : {done, others})
    for (const Participant* p : part) out.push_back(p->client);
  return out;
}

void Group::keep_order() {
  order_ = by_readiness();
  round_ = nullptr;
  exchange_ = nullptr;
}

std::unique_ptr<Stage> Group::opened(Shared& shared, std::unique_ptr<ActiveRound> round,
                                     std::unique_ptr<Exchange> exchange, CommitRound commit, Turn& turn) {
  kept_ = std::move(round);
  kept_exchange_ = std::move(exchange);
  commit_ = std::move(commit);
  state_ = State::opened;
  return std::make_unique<Settled>(shared, turn.now);
}

std::unique_ptr<Stage> Group::abandoned(Shared& shared, const ActiveRound&, const AttemptFailure& failure,
                                        Turn& turn) {
  keep_order();
  failure_ = failure;
  state_ = State::failed;
  turn.effects.emplace_back(DropSum{sum_});
  return std::make_unique<Settled>(shared, turn.now);
}

void Group::refuse(const std::string& reason, Remedy remedy, Turn& turn) {
  failure_ = AttemptFailure{AbandonCause::refused_sum,
                            end_attempt(shared_, *round_, *exchange_, reason, turn), remedy};
  keep_order();
  state_ = State::failed;
  turn.effects.emplace_back(DropSum{sum_});
}

void Group::cancel(const std::string& reason, Turn& turn) {
  for (const Participant& p : round_->participants()) {
    if (round_->is_expected(p)) turn.send(p.client, messages::Cancel{p.task, reason});
    // The shell has the update already, and its answer will be stale.
    if (round_->state(p) == round::MemberState::verifying) shared_.uploads.on_checked(p.client);
    shared_.uploads.drop(p.client, turn);
  }
  exchange_->end(*round_, turn);
  turn.effects.emplace_back(DropSum{sum_});
}

bool Group::is_fetching(Duration stall, Instant now) const {
  return state_ == State::working && std::ranges::any_of(round_->participants(), [&](const Participant& p) {
           return round_->state(p) == round::MemberState::pending && !p.has_model &&
                  is_fetching_model(p.moved_at, p.task_sent_at, stall, now);
         });
}

void Group::leave_without_model(std::string_view client) {
  const Participant* p = round_->find(client);
  if (p != nullptr && round_->is_expected(*p))
    round_->drop(*p, "the model of its task is not served any more");
}

}  // namespace hansa::server
