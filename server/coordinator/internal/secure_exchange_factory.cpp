#include <algorithm>

#include "common/random.h"
#include "protocols/secure_aggregation/quantise.h"
#include "server/coordinator/internal/secure_exchange.h"

namespace hansa::server {

namespace {

// The number of values of each segment of an update: the model's segments, repeated for each output.
std::vector<std::uint64_t> update_segments(const CoordinatorConfig& config) {
  std::vector<std::uint64_t> each = config.model.segments;
  if (each.empty()) each.push_back(config.model.elements);
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i <= config.settings.vectors.size(); ++i)
    out.insert(out.end(), each.begin(), each.end());
  return out;
}

}  // namespace

SecureExchangeFactory::SecureExchangeFactory(const CoordinatorConfig& config, SumRange range)
    : config_(config),
      range_(std::move(range)),
      nonces_(derive_seed(config.process.session_seed, "nonces of secure sums", 0)) {}

std::uint32_t SecureExchangeFactory::cohort_max() const {
  return secure_aggregation::clients_max_of(config_.settings.secure_sums->assumptions);
}

Result<std::unique_ptr<Exchange>> SecureExchangeFactory::create(const ExchangeStart& start, Turn& turn) {
  std::uint64_t most = 1;
  std::vector<secure_aggregation::Certificate> certificates;
  for (const std::string& name : start.cohort) {
    const Client& client = *start.clients.find(name);
    most = std::max(most, client.examples);
    certificates.push_back(*client.certificate);
  }
  HANSA_TRY(auto sum,
            secure_aggregation::AggregatorSum::begin(make_setup(start, most), std::move(certificates)));
  return std::make_unique<SecureExchange>(std::move(sum), config_.settings.secure_sums->phase_max, turn.now);
}

secure_aggregation::SumSetup SecureExchangeFactory::make_setup(const ExchangeStart& start,
                                                               std::uint64_t examples_most) {
  const SecureSums& settings = *config_.settings.secure_sums;
  secure_aggregation::SumSetup setup;
  setup.federation = config_.settings.federation;
  setup.round = start.round;
  setup.attempt = start.attempt;
  for (std::size_t i = 0; i < setup.nonce.bytes.size(); i += 8) {
    const std::uint64_t number = nonces_.next();
    for (std::size_t j = 0; j < 8; ++j)
      setup.nonce.bytes[i + j] = static_cast<std::uint8_t>(number >> (8 * j));
  }
  setup.model = start.published.model;
  setup.segments = secure_aggregation::segments_of(update_segments(config_));
  setup.clients = static_cast<std::uint32_t>(start.cohort.size());
  setup.metrics = settings.metrics;
  setup.assumptions = settings.assumptions;
  // Weights are relative to the largest number of examples that a client reports. Stored scales are for unweighted
  // values.
  const auto unit = static_cast<double>(std::min(examples_most, config_.settings.limits.examples_max));
  setup.quantisation = secure_aggregation::first_quantisation(setup.clients, unit);
  if (range_.clip > 0 && range_.scales.size() == setup.segments.size()) {
    const auto grid = secure_aggregation::choose_grid(setup.clients, settings.value_bits);
    setup.quantisation = {grid.levels, grid.ring_bits, range_.clip, unit};
    for (std::size_t i = 0; i < range_.scales.size(); ++i) setup.segments[i].scale = range_.scales[i] / unit;
  }
  setup.quantisation.rotated = settings.rotated;
  setup.quantisation.fraction = settings.fraction;
  return setup;
}

}  // namespace hansa::server
