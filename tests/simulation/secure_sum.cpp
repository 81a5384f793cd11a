#include "tests/simulation/secure_sum.h"

#include <algorithm>

#include "common/vector_digest.h"
#include "protocols/secure_aggregation/client.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "tests/simulation/client_updates.h"

namespace hansa::testing {
namespace {

// As the aggregator chooses it: the most that a client reports, but at most four medians.
double weight_unit_of(const server::RoundRecord& record) {
  std::vector<std::uint64_t> reports;
  for (const auto& p : record.participations) reports.push_back(examples_of(p.client));
  std::ranges::sort(reports);
  return static_cast<double>(std::min(reports.back(), 4 * reports[(reports.size() - 1) / 2]));
}

}  // namespace

std::string sum_securely(const World& world, const server::RoundRecord& record, const server::Work& work,
                         const std::vector<float>& trained,
                         std::map<std::string, std::vector<float>>& left_over, std::vector<float>& mean) {
  namespace sa = secure_aggregation;
  if (record.secure->scales.size() != 1) return "has not the one segment";
  sa::SumSetup setup;
  setup.federation = "simulated";
  setup.round = work.round;
  setup.model = vector_digest(trained);
  setup.clients = static_cast<std::uint32_t>(record.participations.size());
  setup.metrics = {"loss"};
  const double unit = weight_unit_of(record);
  const std::uint32_t levels = record.secure->value_bits > 16
                                   ? sa::first_quantisation(setup.clients, unit).levels
                                   : sa::choose_grid(setup.clients, 8).levels;
  setup.quantisation = {levels, record.secure->ring_bits,     record.secure->clip, unit,
                        true,   world.options.secure_fraction};
  setup.segments = {{trained.size(), record.secure->scales[0] / unit}};
  std::vector<std::uint32_t> sum(sa::vector_elements(setup)), numbers(sum.size());
  std::uint32_t counted = 0;
  std::uint64_t weight = 0;
  for (const auto& p : record.participations) {
    if (p.outcome != server::Outcome::counted) continue;
    if (p.examples != 0 || !p.metrics.empty()) return "the aggregator knows " + p.client + "'s metrics";
    std::vector<float> delta(trained.size());
    FakeTrainer::compute(training_seed(world, work, p.client), trained, delta);
    if (world.options.secure_fraction < 1) {
      auto& left = left_over[p.client];
      left.resize(delta.size());
      for (std::size_t i = 0; i < delta.size(); ++i) delta[i] += left[i];
      sa::left_out(delta, setup, left);
    }
    const std::uint64_t examples = examples_of(p.client);
    const auto seed = sa::rounding_seed(*world.identities.at(p.client).key, p.client, setup);
    if (!sa::quantise(delta, examples, {{"loss", 1.0, static_cast<double>(examples)}}, setup, seed, numbers))
      return "cannot be rounded";
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
    ++counted;
    weight += examples;
  }
  mean.assign(trained.size(), 0);
  const auto totals = sa::dequantise(sum, counted, setup, mean);
  if (!totals) return totals.error().text();
  if (record.secure->examples != weight) return "the weight is another";
  if (record.secure->metrics != Metrics{{"loss", static_cast<double>(counted), static_cast<double>(weight)}})
    return "the metrics are others";
  return {};
}

}  // namespace hansa::testing
