#include "server/coordinator/internal/plain_exchange.h"

#include "common/random.h"

namespace hansa::server {

PlainExchange::PlainExchange(const CoordinatorConfig& config, RoundId round, std::uint32_t cohort)
    : config_(config),
      cohort_seed_(derive_seed(config.settings.seed, "codec places", round.value)),
      cohort_(cohort) {}

void PlainExchange::begin(Turn& turn) {
  AccumulationBounds bounds;
  bounds.weight_max = config_.settings.limits.examples_max;
  bounds.updates_max = cohort_;
  bounds.magnitude_max = static_cast<float>(config_.settings.limits.magnitude_max);
  turn.effects.emplace_back(BeginUpdates{PlainSetup{bounds, cohort_seed_}});
}

void PlainExchange::describe(messages::TrainTask& task) const {
  const auto& uplink = config_.compression.uplink;
  if (!uplink) return;
  // The plan has the same segments for each output.
  const std::size_t each = uplink->segments().size() / task.outputs.size();
  for (std::size_t i = 0; i < task.outputs.size(); ++i) {
    const auto segments = uplink->segments().subspan(i * each, each);
    task.outputs[i].segments.assign(segments.begin(), segments.end());
  }
  task.compression = messages::Compression{config_.compression.entropy, cohort_seed_};
}

UpdateSizes PlainExchange::sizes() const {
  const auto& uplink = config_.compression.uplink;
  return uplink ? encoded_update_sizes(*uplink) : float32_update_sizes(config_.update_elements());
}

Result<UpdateTicket> PlainExchange::admit(const Participant& participant,
                                          const messages::Offer& offer) const {
  const std::uint64_t most = config_.settings.limits.examples_max;
  if (offer.examples == 0 || offer.examples > most)
    return fail(ErrorCode::protocol, "",
                "it counts " + std::to_string(offer.examples) +
                    " examples; limits.examples_max allows 1 to " + std::to_string(most));
  return UpdateTicket{participant.client, participant.index.value, offer.bytes,
                      offer.update,       offer.examples,          participant.seed};
}

Result<std::unique_ptr<Exchange>> PlainExchangeFactory::create(const ExchangeStart& start, Turn&) {
  return std::make_unique<PlainExchange>(config_, start.round,
                                         static_cast<std::uint32_t>(start.cohort.size()));
}

}  // namespace hansa::server
