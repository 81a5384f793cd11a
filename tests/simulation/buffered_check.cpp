// Recomputes the models of buffered aggregation from the recorded arrivals.
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "protocols/codecs/update.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/client_updates.h"
#include "tests/simulation/model_chain.h"

namespace hansa::testing {
namespace {

__extension__ using Wide = __int128;

// 2^16 for each update, or what is left of 29 bits for each of its examples.
double unit_of(const server::BufferedConfig& config) {
  return config.weights == server::BufferedConfig::Weights::updates ? 65'536 : 256;
}

class Check {
 public:
  explicit Check(const World& world) : world_(world), config_(*world.options.buffered) {}

  std::string operator()(const server::RoundRecord& record, ModelChain& chain) {
    if (record.arrivals.size() != config_.updates) return "has another number of updates";
    if (std::string wrong = sum(record, chain); !wrong.empty()) return wrong;
    const double denominator = std::ldexp(weight_, scale_);
    return chain.append(record, chain.step([&](std::size_t i) {
      return static_cast<double>(static_cast<std::int64_t>(sums_[i])) / denominator *
             (weight_ / full_weight_);
    }));
  }

 private:
  // Adds up the updates that the record names.
  std::string sum(const server::RoundRecord& record, const ModelChain& chain) {
    const double full_most =
        unit_of(config_) * (config_.weights == server::BufferedConfig::Weights::updates
                                ? 1.0
                                : static_cast<double>(server::LimitsConfig{}.examples_max));
    const double bound = full_most * config_.updates * server::LimitsConfig{}.magnitude_max;
    scale_ = std::min(40, 62 - static_cast<int>(std::ceil(std::log2(bound))));
    sums_.assign(world_.options.elements, 0);
    weight_ = full_weight_ = 0;
    std::map<std::string, Checksum> last;
    for (const server::Arrival& arrival : record.arrivals) {
      const std::string wrong = add(record, chain, arrival, last[arrival.client]);
      if (!wrong.empty()) return arrival.client + ": " + wrong;
    }
    for (const auto& p : record.participations) {
      if ((p.outcome == server::Outcome::counted) != last.contains(p.client))
        return p.client + " is counted, or not, when it should not be";
      if (last.contains(p.client) && p.update != last[p.client]) return p.client + "'s update is another";
      last.erase(p.client);
    }
    return last.empty() ? "" : last.begin()->first + " is not recorded";
  }

  std::string add(const server::RoundRecord& record, const ModelChain& chain, const server::Arrival& arrival,
                  Checksum& check) {
    if (!seen_.insert({arrival.client, arrival.base.value, arrival.task}).second)
      return "its update is in two models";
    // It arrived while the model before this one was the newest, or was made.
    const std::uint32_t age = record.round.value - 1 - arrival.base.value;
    if (arrival.base >= record.round || (arrival.staleness != age && arrival.staleness + 1 != age))
      return "has an impossible staleness";
    if (arrival.staleness > config_.staleness_max) return "is too stale";
    const bool by_examples = config_.weights == server::BufferedConfig::Weights::examples;
    const double full =
        unit_of(config_) * (by_examples ? static_cast<double>(examples_of(arrival.client)) : 1);
    const double weight = std::nearbyint(full / std::sqrt(1.0 + arrival.staleness));
    if (static_cast<double>(arrival.weight) != weight) return "has another weight";
    weight_ += weight;
    full_weight_ += full;

    const server::Work work{RoundId(arrival.base.value + 1), arrival.task};
    messages::TrainTask task;
    task.seed = training_seed(world_, work, arrival.client);
    std::vector<float> delta(sums_.size());
    FakeTrainer::compute(task.seed, chain.published(arrival.base), delta);
    const auto& plan = world_.compression.uplink;
    if (!plan) {
      check = checksum(std::span<const float>(delta));
      for (std::size_t i = 0; i < delta.size(); ++i)
        sums_[i] +=
            static_cast<Wide>(std::nearbyint(std::ldexp(static_cast<double>(delta[i]) * weight, scale_)));
      return {};
    }
    task.compression.emplace().cohort_seed =
        derive_seed(world_.options.seed, "codec places", work.round.value);
    const auto seeds = messages::update_seeds(task);
    auto sent = send(*plan, delta, kept_[arrival.client], seeds, 64.0F);
    kept_[arrival.client] = std::move(sent.kept);
    check = checksum(std::span<const std::byte>(sent.bytes));
    std::vector<std::byte> memory;
    std::vector<std::int64_t> part(delta.size());
    codecs::Update::read(*plan, seeds, 64.0F, sent.bytes, memory)
        ->fold(0, delta.size(), std::ldexp(weight, scale_), part);
    for (std::size_t i = 0; i < delta.size(); ++i) sums_[i] += part[i];
    return {};
  }

  const World& world_;
  const server::BufferedConfig& config_;
  std::map<std::string, std::vector<float>> kept_;  // residuals of the codecs
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> seen_;
  std::vector<Wide> sums_;
  int scale_ = 0;
  double weight_ = 0, full_weight_ = 0;
};

}  // namespace

std::string check_buffered_models(const World& world) { return check_rounds(world, Check(world)); }

}  // namespace hansa::testing
