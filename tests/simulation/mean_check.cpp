// Recomputes the models of rounds of cohorts whose updates are not summed securely.
#include <cmath>
#include <map>

#include "common/vector_digest.h"
#include "protocols/codecs/update.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/client_updates.h"
#include "tests/simulation/model_chain.h"

namespace hansa::testing {
namespace {

__extension__ using Wide = __int128;

class Check {
 public:
  explicit Check(const World& world)
      : world_(world),
        exchanged_(world.options.method ? world.options.method->outputs.size() : 0),
        vectors_(exchanged_, std::vector<float>(world.options.elements)) {}

  std::string operator()(const server::RoundRecord& record, ModelChain& chain) {
    // The scale that the round must have used: accumulator.h.
    const double bound = static_cast<double>(server::LimitsConfig{}.examples_max) *
                         static_cast<double>(record.participations.size()) *
                         server::LimitsConfig{}.magnitude_max;
    scale_ = std::min(40, 62 - static_cast<int>(std::ceil(std::log2(bound))));
    weight_ = 0;
    sums_.assign(world_.options.elements * (1 + exchanged_), 0);
    for (const auto& p : record.participations)
      if (p.outcome == server::Outcome::counted && !add(record, p, chain.published()))
        return p.client + "'s update is another";
    ModelChain::Step step = chain.step([this](std::size_t i) { return mean(i); });
    const std::size_t of_optimizer = world_.options.optimizer.name == "fedavgm" ? 1 : 0;
    if (record.state.size() != of_optimizer + exchanged_) return "names other vectors";
    if (of_optimizer == 1 && record.state[0].vector != vector_digest(step.velocity))
      return "the velocity is another";
    if (!exchange(std::span(record.state).subspan(of_optimizer))) return "an exchanged vector is another";
    return chain.append(record, std::move(step));
  }

 private:
  bool add(const server::RoundRecord& record, const server::Participation& p,
           const std::vector<float>& trained) {
    const std::size_t elements = trained.size();
    std::vector<float> delta(sums_.size());  // and the outputs behind it
    const std::uint64_t seed = training_seed(world_, {record.round}, p.client);
    FakeTrainer::compute(seed, trained, std::span(delta).first(elements));
    for (std::size_t i = 0; i < exchanged_; ++i)
      FakeTrainer::compute_vector(seed, i, vectors_[i],
                                  std::span(delta).subspan((1 + i) * elements, elements));
    weight_ += p.examples;
    const auto& plan = world_.compression.uplink;
    if (!plan) {
      for (std::size_t i = 0; i < delta.size(); ++i)
        sums_[i] += static_cast<Wide>(std::nearbyint(
            std::ldexp(static_cast<double>(delta[i]) * static_cast<double>(p.examples), scale_)));
      return p.update == checksum(std::span<const float>(delta));
    }
    const auto seeds = seeds_of(world_, record.round, p.client);
    auto sent = send(*plan, delta, kept_[p.client], seeds, 64.0F);
    kept_[p.client] = std::move(sent.kept);
    std::vector<std::byte> memory;
    std::vector<std::int64_t> part(delta.size());
    codecs::Update::read(*plan, seeds, 64.0F, sent.bytes, memory)
        ->fold(0, delta.size(), std::ldexp(static_cast<double>(p.examples), scale_), part);
    for (std::size_t i = 0; i < delta.size(); ++i) sums_[i] += part[i];
    return p.update == checksum(std::span<const std::byte>(sent.bytes));
  }

  [[nodiscard]] double mean(std::size_t i) const {
    return static_cast<double>(static_cast<std::int64_t>(sums_[i])) /
           std::ldexp(static_cast<double>(weight_), scale_);
  }

  // Adds the means of the outputs to the vectors of the method.
  bool exchange(std::span<const server::StateVector> recorded) {
    for (std::size_t v = 0; v < exchanged_; ++v) {
      const std::size_t first = (1 + v) * vectors_[v].size();
      for (std::size_t i = 0; i < vectors_[v].size(); ++i)
        vectors_[v][i] = static_cast<float>(static_cast<double>(vectors_[v][i]) + mean(first + i));
      if (recorded[v].vector != vector_digest(vectors_[v])) return false;
    }
    return true;
  }

  const World& world_;
  std::size_t exchanged_;
  std::vector<std::vector<float>> vectors_;  // that the method exchanges
  std::map<std::string, std::vector<float>> kept_;  // residuals of the codecs
  std::vector<Wide> sums_;
  std::uint64_t weight_ = 0;
  int scale_ = 0;
};

}  // namespace

std::string check_models(const World& world) { return check_rounds(world, Check(world)); }

}  // namespace hansa::testing
