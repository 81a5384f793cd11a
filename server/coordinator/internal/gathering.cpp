#include "server/coordinator/internal/gathering.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "common/random.h"
#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/name_list.h"
#include "server/coordinator/internal/training.h"
#include "server/coordinator/task_id.h"

namespace hansa::server {
namespace {

// At least 1, at most `of`.
std::uint32_t part_of(double fraction, std::size_t of) {
  // The small subtraction keeps 0.7 * 10 at 7 although the product is a little more.
  const double exact = std::ceil(fraction * static_cast<double>(of) - 1e-9);
  return static_cast<std::uint32_t>(std::clamp(exact, 1.0, static_cast<double>(of)));
}

}  // namespace

std::vector<std::string> Gathering::ready(Instant now) const {
  std::vector<std::string> all = shared_.eligible();
  std::vector<std::string> out;
  std::ranges::copy_if(all, std::back_inserter(out),
                       [&](const std::string& client) { return !shared_.reliability.rests(client, now); });
  const std::size_t least = shared_.config.settings.cohort.clients_min;
  if (out.size() < least) return all;
  return shared_.contradictions.keep_apart(
      std::move(out), least,
      derive_seed(shared_.config.process.session_seed, "apart", shared_.standing.last_committed.value,
                  std::to_string(attempt_)));
}

std::vector<std::string> Gathering::missing() const {
  std::vector<std::string> out;
  for (const auto& name : shared_.config.settings.admitted) {
    const Client* client = shared_.clients.find(name);
    // A client without a certificate is turned away, so that it has no session.
    const std::string lacks = client == nullptr ? std::string() : shared_.exchanges->what_lacks(*client);
    if (!lacks.empty()) {
      out.push_back(name + " (" + lacks + ")");
    } else if (client == nullptr || shared_.sessions.find(name) == nullptr) {
      out.push_back(name);
    } else if (client->examples == 0) {
      out.push_back(name + " (no data)");
    }
  }
  return out;
}

std::unique_ptr<Stage> Gathering::next(Turn& turn) {
  if (stop_asked_) return stopped(turn);
  const OperatorSettings& settings = shared_.config.settings;
  const CohortConfig& cohort = settings.cohort;
  if (shared_.is_over())
    return std::make_unique<Concluded>(shared_, Finish::Why::all_rounds,
                                       "all " + std::to_string(settings.rounds) + " rounds are done", turn);
  if (shared_.all_rounds_done()) return nullptr;
  if (turn.now < not_before_) return nullptr;
  const auto ready = this->ready(turn.now);
  const bool enough = ready.size() >= cohort.clients_min;
  const std::uint32_t expected = std::max(cohort.clients_expected, cohort.clients_min);
  if (ready.size() >= expected || (enough && turn.now >= began_ + cohort.gather)) shared_.has_gathered = true;
  if (enough && shared_.has_gathered) return start_round(ready, turn);
  if (enough || turn.now < began_ + cohort.wait_max) return nullptr;
  const auto absent = missing();
  return std::make_unique<Concluded>(shared_, Finish::Why::gave_up,
                                     std::to_string(ready.size()) + " of the " +
                                         std::to_string(cohort.clients_min) +
                                         " clients that cohort.clients_min needs came within " +
                                         std::to_string(cohort.wait_max / std::chrono::seconds(1)) + " s" +
                                         (absent.empty() ? "" : "; missing: " + name_list(absent, 12)),
                                     turn);
}

std::vector<std::string> Gathering::select(const std::vector<std::string>& eligible, RoundId round) {
  const CohortConfig& cohort = shared_.config.settings.cohort;
  std::uint32_t size = std::max(part_of(cohort.fraction, eligible.size()), shared_.exchanges->cohort_min());
  if (cohort.size_max > 0) size = std::min(size, cohort.size_max);
  size = std::min({size, shared_.exchanges->cohort_max(), static_cast<std::uint32_t>(eligible.size())});
  if (shared_.search.is_active() && eligible.size() >= cohort.clients_min)
    if (auto out = shared_.search.next(eligible, cohort.clients_min, std::max(size, cohort.clients_min));
        !out.empty())
      return out;
  std::vector<Candidate> candidates;
  for (const std::string& name : eligible) {
    const Client& c = *shared_.clients.find(name);
    candidates.push_back({name, c.examples, c.new_examples, c.rounds_counted, c.rounds_lost, c.last_selected,
                          c.train_seconds, c.round_seconds});
  }
  std::vector<std::string> out;
  for (const std::size_t i : shared_.policy->select(
           candidates, size, derive_seed(shared_.config.settings.seed, "cohort", round.value)))
    out.push_back(eligible[i]);
  return out;
}

std::unique_ptr<Stage> Gathering::start_round(const std::vector<std::string>& eligible, Turn& turn) {
  const OperatorSettings& settings = shared_.config.settings;
  const RoundId id(shared_.standing.last_committed.value + 1);
  for (const std::string& client : shared_.reliability.take_returned(turn.now))
    turn.inform_about(client, "returned", client + " may take part in cohorts again");
  const auto cohort = select(eligible, id);
  const auto size = static_cast<std::uint32_t>(cohort.size());
  const std::uint32_t quorum = std::max(part_of(settings.cohort.quorum, cohort.size()),
                                        std::min(shared_.exchanges->updates_min(size), size));
  auto round = round::Round::create(id, round::Config{quorum, turn.now + settings.cohort.deadline}, cohort);
  if (!round) return std::make_unique<Concluded>(shared_, Finish::Why::gave_up, round.error().text(), turn);
  const Work work{id, shared_.opened_sums};
  const std::uint64_t seed = round_seed(settings.seed, work);
  std::vector<Participant> participants(cohort.size());
  for (std::uint32_t i = 0; i < cohort.size(); ++i) {
    Participant& p = participants[i];
    p.client = cohort[i];
    p.index = round::MemberIndex(i);
    p.task = make_task_id(settings.seed, shared_.standing.run, work, p.client);
    p.seed = messages::training_seed(seed, p.client);
    p.asked_at = turn.now;
  }
  turn.effects.emplace_back(RoundStarted{id, static_cast<std::uint32_t>(cohort.size())});
  const messages::TrainTask task = make_common_task(shared_.config, shared_.standing.published, id);
  auto exchange = shared_.exchanges->create({id, attempt_, cohort, shared_.clients, task, seed}, turn);
  if (!exchange) return try_again(shared_, id, attempt_, exchange.error().text(), Remedy::none, turn);
  return std::make_unique<Training>(
      shared_, std::make_unique<ActiveRound>(std::move(*round), attempt_, turn.now, std::move(participants)),
      std::move(*exchange), turn);
}

Instant Gathering::next_tick(Instant now) const {
  const CohortConfig& cohort = shared_.config.settings.cohort;
  Instant next = Instant::max();
  // Moments that have passed were considered in the event at `now`.
  for (const Instant moment : {not_before_, began_ + cohort.gather, began_ + cohort.wait_max})
    if (moment > now) next = std::min(next, moment);
  return next;
}

void Gathering::fill(Progress& progress) const {
  progress.attempt = attempt_;
  progress.missing = missing();
}

std::unique_ptr<Stage> try_again(Shared& shared, RoundId round, std::uint32_t attempt,
                                 const std::string& reason, Remedy remedy, Turn& turn) {
  const std::string name = "round " + std::to_string(round.value);
  turn.warn(name + ", attempt " + std::to_string(attempt) + ", is abandoned: " + reason);
  if (remedy == Remedy::none && ++shared.attempts_in_vain >= shared.config.settings.cohort.attempts_max)
    return std::make_unique<Concluded>(
        shared, Finish::Why::gave_up,
        name + " missed its quorum " + std::to_string(attempt) + " times: " + reason, turn);
  const Instant not_before = turn.now + std::min<Duration>(std::chrono::seconds(attempt), retry_after_max);
  return std::make_unique<Gathering>(shared, attempt + 1, not_before, turn);
}

}  // namespace hansa::server
