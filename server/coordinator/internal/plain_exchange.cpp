#include "server/coordinator/internal/plain_exchange.h"

#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/plain_checks.h"
#include "server/coordinator/internal/update_norms.h"
#include "server/methods/fed_nova.h"

namespace hansa::server {

PlainExchange::PlainExchange(const CoordinatorConfig& config, const ExchangeStart& start, Names& dominant)
    : config_(config),
      cohort_seed_(codec_seed(config, start.round)),
      cohort_(static_cast<std::uint32_t>(start.cohort.size())),
      dominant_(dominant) {
  for (const std::string& name : start.cohort) reported_.emplace(name, start.clients.find(name)->examples);
}

void PlainExchange::begin(Turn& turn) {
  AccumulationBounds bounds;
  bounds.weight_max = config_.settings.limits.examples_max;
  bounds.updates_max = cohort_;
  bounds.magnitude_max = static_cast<float>(config_.settings.limits.magnitude_max);
  turn.effects.emplace_back(BeginUpdates{PlainSetup{bounds, cohort_seed_}});
}

void PlainExchange::describe(messages::TrainTask& task) const {
  add_compression(task, config_, cohort_seed_);
}

UpdateSizes PlainExchange::sizes() const { return plain_update_sizes(config_); }

Result<UpdateTicket> PlainExchange::admit(const Participant& participant,
                                          const messages::Offer& offer) const {
  HANSA_TRY_VOID(check_examples(config_.settings, reported_.at(participant.client), offer.examples));
  if (config_.settings.method.name == "fednova")
    HANSA_TRY_VOID(FedNova::check(offer.metrics, offer.examples));
  return UpdateTicket{participant.client, participant.index.value, offer.bytes, offer.update,
                      offer.examples,     participant.seed,        {}};
}

Result<void> PlainExchange::begin_opening(ActiveRound& round, Turn& turn) {
  HANSA_TRY_VOID(compare_updates(round));
  report_dominant_weight(round, turn);
  return {};
}

Result<void> PlainExchange::compare_updates(ActiveRound& round) const {
  std::vector<std::string_view> outputs;
  for (const ExchangedVector& vector : config_.settings.vectors) outputs.emplace_back(vector.output);
  std::vector<const Participant*> counted;
  std::vector<UpdateSize> updates;
  for (const Participant& p : round.participants()) {
    if (round.state(p) != round::MemberState::counted) continue;
    counted.push_back(&p);
    updates.push_back({p.norms, p.offer.examples});
    updates.back().norms.resize(1 + outputs.size());
  }
  std::string deltas, others;
  for (const UnlikeUpdate& unlike :
       unlike_updates(updates, round.work().method, outputs, config_.settings.limits.norm_ratio_max)) {
    const Participant& p = *counted[unlike.index];
    if (unlike.vector == delta_output) {
      round.accuse(p, "its update is much larger than the others of the round");
      deltas += (deltas.empty() ? "" : ", ") + p.client;
    } else {
      round.accuse(p, "its " + std::string(unlike.vector) + " is much larger than the others of the round");
      others += (others.empty() ? "" : ", ") + p.client + " (" + std::string(unlike.vector) + ")";
    }
  }
  if (!deltas.empty())
    return fail(ErrorCode::protocol, "",
                "updates with a norm of more than limits.norm_ratio_max medians came from " + deltas);
  if (!others.empty())
    return fail(ErrorCode::protocol, "",
                "vectors that no training like the others' makes came from " + others);
  return {};
}

// Once for each client: an operator may know that one site has most of the data.
void PlainExchange::report_dominant_weight(const ActiveRound& round, Turn& turn) {
  std::uint64_t total = 0;
  const Participant* largest = nullptr;
  std::size_t counted = 0;
  for (const Participant& p : round.participants()) {
    if (round.state(p) != round::MemberState::counted) continue;
    ++counted;
    total += p.offer.examples;
    if (largest == nullptr || p.offer.examples > largest->offer.examples) largest = &p;
  }
  // Of two clients one nearly always has more.
  if (counted < 3 || largest->offer.examples <= total / 2 || !dominant_.insert(largest->client).second)
    return;
  turn.warn_about(
      largest->client, "dominant", LogEvent::client_noticed,
      largest->client + " has " + std::to_string(largest->offer.examples) + " of the " +
          std::to_string(total) + " examples of round " + std::to_string(round.id().value) +
          ", more than all others together: it decides the model; limits.examples_max limits a client");
}

Result<std::unique_ptr<Exchange>> PlainExchangeFactory::create(const ExchangeStart& start, Turn&) {
  return std::make_unique<PlainExchange>(config_, start, dominant_);
}

}  // namespace hansa::server
