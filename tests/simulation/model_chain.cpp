#include "tests/simulation/model_chain.h"

#include "common/vector_digest.h"
#include "protocols/codecs/update.h"
#include "tests/simulation/client_updates.h"

namespace hansa::testing {

ModelChain::ModelChain(const World& world)
    : world_(world),
      base_(world.disk->identity->initial_model),
      published_digest_(base_),
      published_{world.disk->models.at(base_)},
      velocity_(published_.back().size()) {}

ModelChain::Step ModelChain::step(const std::function<double(std::size_t)>& change) const {
  const server::ServerOptimizerConfig& optimizer = world_.options.optimizer;
  const bool with_momentum = optimizer.name == "fedavgm";
  const std::vector<float>& before = global();
  Step out{std::vector<float>(before.size()), velocity_};
  for (std::size_t i = 0; i < before.size(); ++i) {
    double moved = change(i);
    if (with_momentum) {
      out.velocity[i] = static_cast<float>(optimizer.momentum * static_cast<double>(out.velocity[i]) + moved);
      moved = static_cast<double>(out.velocity[i]);
    }
    out.model[i] = static_cast<float>(static_cast<double>(before[i]) + moved);
  }
  return out;
}

std::string ModelChain::append(const server::RoundRecord& record, Step step) {
  if (record.model != vector_digest(step.model)) return "the model is not the exact one of its updates";
  if (std::string wrong = publish(record, step.model); !wrong.empty()) return wrong;
  velocity_ = std::move(step.velocity);
  base_ = record.model;
  return {};
}

std::string ModelChain::publish(const server::RoundRecord& record, const std::vector<float>& next) {
  const auto& plan = world_.compression.downlink;
  const std::uint32_t full_every = world_.options.full_every;
  const auto seeds = messages::delta_seeds({published_digest_, {}, 0});
  std::optional<Sent> delta;
  if (plan && (full_every == 0 || record.round.value % full_every != 0)) {
    std::vector<float> difference(next.size());
    for (std::size_t i = 0; i < next.size(); ++i) difference[i] = next[i] - published()[i];
    delta = send(*plan, difference, {}, seeds, codecs::delta_magnitude_max);
    if (delta->bytes.size() >= next.size() * sizeof(float)) delta.reset();  // for a tiny model
  }
  if (delta.has_value() != record.published.has_value()) return "went whole, or not, when it should not";
  if (!delta) {
    published_.push_back(next);
    published_digest_ = record.model;
    return {};
  }
  const Digest of_delta = sha256(std::span<const std::byte>(delta->bytes));
  if (of_delta != record.published->delta) return "the delta differs";
  std::vector<std::byte> memory;
  std::vector<float> sent = published();
  codecs::Update::read(*plan, seeds, codecs::delta_magnitude_max, delta->bytes, memory)
      ->accumulate(0, next.size(), 1.0F, sent);
  published_digest_ = messages::name_of({published_digest_, of_delta, delta->bytes.size()});
  published_.push_back(std::move(sent));
  return published_digest_ == record.published->model &&
                 record.published->check == checksum(std::span<const float>(published()))
             ? ""
             : "another model was published";
}

std::string check_rounds(const World& world,
                         const std::function<std::string(const server::RoundRecord&, ModelChain&)>& check) {
  ModelChain chain(world);
  std::uint32_t number = 0;
  for (const auto& record : world.disk->rounds) {
    const std::string place = "round " + std::to_string(record.round.value) + ": ";
    if (record.round.value != ++number) return place + "is out of order";
    if (record.base != chain.base()) return place + "does not start from the model before it";
    if (const std::string wrong = check(record, chain); !wrong.empty()) return place + wrong;
  }
  return {};
}

}  // namespace hansa::testing
