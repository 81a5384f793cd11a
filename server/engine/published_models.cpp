// What clients get as the model. With a codec for the downlink that is not the round's model x but a published one y near it,
// to which clients are led by encoded steps: y += C(x - y). What a step loses stays in x - y and comes with the next one, so
// x is what it would be without steps but for training that starts from y (error feedback at the server: Tang, Yu, Lian, Zhang, Liu,
// "DoubleSqueeze", ICML 2019; a model that the server keeps: Philippenko, Dieuleveut, NeurIPS 2021).
#include <algorithm>

#include "common/kernels/vectors.h"
#include "protocols/codecs/encoder.h"
#include "server/engine/engine.h"

namespace hansa::server {
namespace {

constexpr std::size_t step_bytes_max = 512 << 20;  // a row of the store holds it

}  // namespace

// After a start: the last round that published its own model, and the steps since then.
Result<PublishedModel> Engine::restore_published(const Store::Position& position) {
  const auto& plan = config_.coordinator.compression.downlink;
  if (!plan) {
    model_check_ = checksum(std::span<const float>(*model_));
    return published_model(position.model);
  }
  published_ = model_;
  published_check_ = checksum(std::span<const float>(*model_));
  published_digest_ = position.model;
  std::vector<Published> steps;  // the last one first
  RoundId from = position.round;
  for (; from.value > 0; --from.value) {
    HANSA_TRY(auto published, store_.published(from));
    if (!published) break;
    steps.push_back(std::move(*published));
  }
  if (steps.empty()) return published_model(position.model);
  // A step that does not lead where it should is no loss: the model goes whole to all.
  const auto replay = [&]() -> Result<void> {
    HANSA_TRY(const auto record, store_.round(from.value > 0 ? from : RoundId(1)));
    if (!record) return fail(ErrorCode::storage, "store", "has lost a round");
    Digest base = from.value > 0 ? record->model : record->base;
    auto values = std::make_shared<PageVector<float>>(model_->size());
    HANSA_TRY_VOID(store_.get_model(base, *values));
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
      const codecs::Seeds seeds = messages::step_seeds({base, {}, 0});
      HANSA_TRY(const auto update,
                codecs::Update::read(*plan, seeds, codecs::step_magnitude_max, step->step, unpacked_));
      update.accumulate(0, plan->values(), 1.0F, *values);
      hold_step(base, std::move(step->step));
      base = step->model;
    }
    if (checksum(std::span<const float>(*values)) != steps.front().check)
      return fail(ErrorCode::storage, "store", "holds steps that do not lead to the published model");
    published_ = std::move(values);
    published_digest_ = base;
    published_check_ = steps.front().check;
    return {};
  };
  if (auto replayed = replay(); !replayed) {
    steps_.clear();
    observer_.on_log(Log::Level::warning, "the published model cannot be restored (" +
                                              replayed.error().text() + "); it goes whole");
    return published_model(position.model);
  }
  return published_model(position.model);
}

// model_ is the round's. Returns what the record needs; none if the model itself is published, whose name is then that of the
// published one.
std::optional<Published> Engine::publish(RoundId round) {
  const Compression& compression = config_.coordinator.compression;
  const bool whole = !published_ || (compression.full_every > 0 && round.value % compression.full_every == 0);
  if (!whole) {
    // Nobody needs the sum any more.
    const auto difference = accumulator_.scratch();
    kernels::subtract(*model_, *published_, difference);
    const codecs::Seeds seeds = messages::step_seeds({published_digest_, {}, 0});
    std::vector<std::byte> bytes;
    // What a codec with error feedback would keep is in x - y already.
    residual_.resize(compression.downlink->state_values());
    codecs::Encoder(*compression.downlink)
        .encode(difference, {}, residual_, seeds, codecs::step_magnitude_max,
                compression.entropy ? codecs::Entropy::if_smaller : codecs::Entropy::never, bytes);
    const auto update =
        codecs::Update::read(*compression.downlink, seeds, codecs::step_magnitude_max, bytes, unpacked_);
    if (update && bytes.size() < std::min(step_bytes_max, model_->size() * sizeof(float))) {
      // ZeroMQ may still send what was published before.
      if (published_.use_count() > 1) published_ = std::make_shared<PageVector<float>>(*published_);
      update->accumulate(0, published_->size(), 1.0F, *published_);
      published_check_ = checksum(std::span<const float>(*published_));
      Published out{{}, published_check_, bytes};
      published_digest_ = out.model = hold_step(published_digest_, std::move(bytes));
      return out;
    }
  }
  published_ = model_;
  published_check_ = checksum(std::span<const float>(*model_));
  steps_.clear();
  return std::nullopt;
}

// As many as are cheaper together than the model.
Digest Engine::hold_step(const Digest& base, std::vector<std::byte> bytes) {
  const messages::ModelStep step{base, sha256(std::span<const std::byte>(bytes)), bytes.size()};
  steps_.push_back({step, std::make_shared<const std::vector<std::byte>>(std::move(bytes))});
  const auto all = [&] {
    std::uint64_t sum = 0;
    for (const HeldStep& held : steps_) sum += held.step.bytes;
    return sum;
  };
  while (steps_.size() > messages::steps_max || all() > model_->size() * sizeof(float)) steps_.pop_front();
  return messages::name_of(step);
}

PublishedModel Engine::published_model(const Digest& model) const {
  if (!published_) return {model, model_check_, {}};
  PublishedModel out{published_digest_, published_check_, {}};
  if (published_ == model_) return out;
  for (const HeldStep& held : steps_) out.steps.push_back(held.step);
  return out;
}

}  // namespace hansa::server
