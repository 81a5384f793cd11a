#include <algorithm>

#include "common/held_out_metrics.h"
#include "common/personal_model.h"
#include "common/random.h"
#include "protocols/secure_aggregation/integer_sums.h"
#include "protocols/secure_aggregation/range.h"
#include "server/coordinator/internal/plain_checks.h"
#include "server/coordinator/internal/secure_exchange.h"
#include "server/coordinator/internal/weight_unit.h"

namespace hansa::server {

namespace {

// The model's segments, repeated for each output.
std::vector<secure_aggregation::Segment> update_segments(const CoordinatorConfig& config) {
  std::vector<secure_aggregation::Segment> each = config.model.segments;
  if (each.empty()) each.push_back({config.model.elements});
  std::vector<secure_aggregation::Segment> out;
  for (std::size_t i = 0; i <= config.settings.vectors.size(); ++i)
    out.insert(out.end(), each.begin(), each.end());
  return secure_aggregation::segments_of_sum(std::move(out));
}

}  // namespace

SecureExchangeFactory::SecureExchangeFactory(const CoordinatorConfig& config, SumRange range)
    : config_(config),
      range_(std::move(range)),
      nonces_(derive_seed(config.process.session_seed, "nonces of secure sums", 0)) {}

std::uint32_t SecureExchangeFactory::cohort_max() const {
  return secure_aggregation::clients_max_of(config_.settings.secure_sums->assumptions);
}

std::uint32_t SecureExchangeFactory::cohort_min() const {
  const SecureSums& settings = *config_.settings.secure_sums;
  return secure_aggregation::cohort_min(settings.assumptions, settings.honest_min);
}

std::uint32_t SecureExchangeFactory::updates_min(std::uint32_t cohort) const {
  const SecureSums& settings = *config_.settings.secure_sums;
  return secure_aggregation::contributors_min(cohort, settings.assumptions, settings.honest_min);
}

Result<std::unique_ptr<Exchange>> SecureExchangeFactory::create(const ExchangeStart& start, Turn& turn) {
  std::vector<std::uint64_t> reports;
  std::vector<secure_aggregation::Certificate> certificates;
  std::map<std::string, std::uint64_t, std::less<>> reported;
  for (const std::string& name : start.cohort) {
    const Client& client = *start.clients.find(name);
    reports.push_back(client.examples);
    reported.emplace(name, std::min(client.examples, trained_most(config_.settings.method)));
    certificates.push_back(*client.certificate);
  }
  messages::TrainTask task = start.task;
  task.secure = make_secure(start, weight_unit(reports, config_.settings.limits.examples_max));
  // As each client derives it from its task.
  HANSA_TRY(auto sum, secure_aggregation::AggregatorSum::begin(
                          messages::sum_setup(config_.settings.federation, task), std::move(certificates),
                          config_.settings.secure_sums->honest_min));
  return std::make_unique<SecureExchange>(
      std::move(sum),
      SecureExchange::Config{
          *std::move(task.secure), std::move(reported), config_.settings.limits,
          config_.settings.secure_sums->phase_max,
          config_.settings.integers_max ? SecureExchange::Weights::one : SecureExchange::Weights::examples,
          start.sum},
      turn.now);
}

messages::SecureTask SecureExchangeFactory::make_secure(const ExchangeStart& start,
                                                        std::uint64_t unit_of_weights) {
  const SecureSums& settings = *config_.settings.secure_sums;
  messages::SecureTask secure;
  secure.seed = start.seed;
  secure.attempt = start.attempt;
  for (std::size_t i = 0; i < secure.nonce.bytes.size(); i += 8) {
    const std::uint64_t number = nonces_.next();
    for (std::size_t j = 0; j < 8; ++j)
      secure.nonce.bytes[i + j] = static_cast<std::uint8_t>(number >> (8 * j));
  }
  secure.segments = update_segments(config_);
  secure.clients = static_cast<std::uint32_t>(start.cohort.size());
  secure.metrics = settings.metrics;
  if (start.task.hold_out && start.task.hold_out->measure == Measure::yes) {
    const auto& approval = start.task.approval;
    const std::vector<std::string> own = approval ? approval->metrics : std::vector<std::string>{};
    for (std::string& name : held_out_sum_names(personal_model_of(start.task.method), own))
      secure.metrics.push_back(std::move(name));
  }
  secure.assumptions = settings.assumptions;
  secure.certificate_epoch = settings.certificate_epoch;
  if (config_.settings.integers_max) {
    secure.quantisation =
        secure_aggregation::integer_quantisation(secure.clients, *config_.settings.integers_max);
    return secure;
  }
  // Stored scales are for unweighted values.
  const auto unit = static_cast<double>(unit_of_weights);
  secure.quantisation = secure_aggregation::first_quantisation(secure.clients, unit);
  if (range_.clip > 0 && range_.scales.size() == secure.segments.size()) {
    const auto grid = secure_aggregation::choose_grid(secure.clients, settings.value_bits);
    secure.quantisation = {grid.levels, grid.ring_bits, range_.clip, unit};
    for (std::size_t i = 0; i < range_.scales.size(); ++i) secure.segments[i].scale = range_.scales[i] / unit;
  }
  secure.quantisation.rotated = settings.rotated;
  secure.quantisation.fraction = settings.fraction;
  return secure;
}

}  // namespace hansa::server
