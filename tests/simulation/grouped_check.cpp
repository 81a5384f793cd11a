// Recomputes the models of buffered aggregation with secure aggregation from the recorded arrivals, and looks at what clients
// helped to open.
#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "protocols/secure_aggregation/parameters.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/model_chain.h"
#include "tests/simulation/secure_sum.h"

namespace hansa::testing {
namespace {

class Check {
 public:
  explicit Check(const World& world) : world_(world), config_(*world.options.buffered) {}

  std::string operator()(const server::RoundRecord& record, ModelChain& chain) {
    if (!record.secure) return "was not summed securely";
    if (std::string wrong = check_group(record); !wrong.empty()) return wrong;
    const server::Arrival& first = record.arrivals.front();
    std::vector<float> mean;
    std::string wrong = sum_securely(world_, record, {RoundId(first.base.value + 1), first.task},
                                     chain.published(first.base), left_over_, mean);
    if (!wrong.empty()) return wrong;
    const double weight = static_cast<double>(first.weight) / 65'536;
    return chain.append(record,
                        chain.step([&](std::size_t i) { return static_cast<double>(mean[i]) * weight; }));
  }

 private:
  // That the arrivals are the counted clients of one group, and that none of them is in two models.
  std::string check_group(const server::RoundRecord& record) {
    if (record.participations.size() != config_.updates) return "its group has another number of clients";
    if (record.arrivals.empty()) return "it has no updates";
    const server::Arrival& first = record.arrivals.front();
    std::set<std::string> arrived;
    for (const server::Arrival& arrival : record.arrivals) {
      if (arrival.base != first.base || arrival.task != first.task) return "it has updates of two groups";
      if (!arrived.insert(arrival.client).second) return arrival.client + " is in it twice";
      if (!seen_.insert({arrival.client, arrival.base.value, arrival.task}).second)
        return arrival.client + "'s update is in two models";
      const std::uint32_t age = record.round.value - 1 - arrival.base.value;
      if (arrival.base >= record.round || arrival.staleness != age) return "has an impossible staleness";
      if (age > config_.staleness_max) return "is too stale";
      if (static_cast<double>(arrival.weight) != std::nearbyint(65'536 / std::sqrt(1.0 + age)))
        return "has another weight";
    }
    std::set<std::string> counted;
    for (const auto& p : record.participations)
      if (p.outcome == server::Outcome::counted) counted.insert(p.client);
      else if (p.reason.empty()) return p.client + " is lost without a reason";
    if (counted != arrived) return "the record and the arrivals name other clients";
    const double needed = world_.options.quorum * config_.updates - 0.5 - 1e-9;
    return static_cast<double>(counted.size()) < needed ? "was committed below the quorum" : "";
  }

  const World& world_;
  const server::BufferedConfig& config_;
  std::map<std::string, std::vector<float>> left_over_;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> seen_;
};

// The clients that are in `a` only.
std::size_t only_in(const secure_aggregation::OpenedSum& a, const secure_aggregation::OpenedSum& b) {
  return static_cast<std::size_t>(std::ranges::count_if(
      a.survivors, [&](const auto& client) { return !std::ranges::binary_search(b.survivors, client); }));
}

}  // namespace

std::string check_grouped_models(const World& world) { return check_rounds(world, Check(world)); }

std::string check_opened_sums(const World& world) {
  namespace sa = secure_aggregation;
  sa::Assumptions assumptions;
  assumptions.threat_model = *world.options.secure;
  const std::size_t least =
      sa::contributors_min(world.options.buffered->updates, assumptions, sa::honest_min_least);
  for (const auto& [client, store] : world.opened_sums) {
    const auto sums = store->all().value();
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (sums[i].survivors.size() < least) return client + " helped to open a sum of too few";
      if (!std::ranges::binary_search(sums[i].survivors, sa::tag_of(client)))
        return client + " helped to open a sum that does not contain its update";
      for (std::size_t j = 0; j < i; ++j) {
        const bool is_same_update = sums[i].model == sums[j].model && sums[i].update == sums[j].update;
        if (!is_same_update || sums[i].survivors == sums[j].survivors) continue;
        if (only_in(sums[i], sums[j]) < least || only_in(sums[j], sums[i]) < least)
          return client + "'s update is in two sums whose difference shows few";
      }
    }
  }
  return {};
}

}  // namespace hansa::testing
