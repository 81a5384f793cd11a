// What clients get as the model. With a codec for the downlink that is not the round's model x but a published one y near it,
// to which clients are led by encoded deltas: y += C(x - y). What a delta loses stays in x - y and comes with the next one, so
// x is what it would be without deltas but for training that starts from y (error feedback at the server: Tang, Yu, Lian, Zhang, Liu,
// "DoubleSqueeze", ICML 2019; a model that the server keeps: Philippenko, Dieuleveut, NeurIPS 2021).
#include <algorithm>
#include <optional>
#include <thread>

#include "common/kernels/vectors.h"
#include "protocols/codecs/encoder.h"
#include "server/engine/engine.h"

namespace hansa::server {
namespace {}  // namespace

// After a start: the last round that published its own model, and the deltas since then.
Result<PublishedModel> Engine::restore_published(const Store::Position& position) {
  const auto& plan = config_.coordinator.compression.downlink;
  if (!plan) {
    model_check_ = checksum(std::span<const float>(*model_));
    return published_model(position.model);
  }
  published_ = model_;
  published_check_ = checksum(std::span<const float>(*model_));
  published_digest_ = position.model;
  // Where the model went whole.
  RoundId from = position.round;
  for (; from.value > 0; --from.value) {
    HANSA_TRY(const auto published, store_.published(from));
    if (!published) break;
  }
  if (from == position.round) return published_model(position.model);
  // A delta that does not lead where it should is no loss: the model goes whole to all.
  const auto replay = [&]() -> Result<void> {
    HANSA_TRY(const auto record, store_.round(from.value > 0 ? from : RoundId(1)));
    if (!record) return fail(ErrorCode::storage, "store", "has lost a round");
    Digest base = from.value > 0 ? record->model : record->base;
    auto values = std::make_shared<PageVector<float>>(model_->size());
    HANSA_TRY_VOID(store_.get_model(base, *values));
    Checksum check;
    for (RoundId round = from; round < position.round;) {
      ++round.value;
      HANSA_TRY(const auto published, store_.published(round));
      if (!published) return fail(ErrorCode::storage, "store", "has lost a delta");
      const codecs::Seeds seeds = messages::delta_seeds({base, {}, 0});
      HANSA_TRY(auto bytes, store_.get_delta(published->delta));
      HANSA_TRY(const auto update,
                codecs::Update::read(*plan, seeds, codecs::delta_magnitude_max, bytes, unpacked_));

      if (update.accumulate(*values) != published->check)
        return fail(ErrorCode::storage, "store", "holds a delta that does not lead to the published model");
      const messages::ModelDelta delta{base, published->delta, bytes.size()};
      hold_delta(delta, std::move(bytes));
      base = published->model;
      check = published->check;
    }
    published_ = std::move(values);
    published_digest_ = base;
    published_check_ = check;
    return {};
  };
  if (auto replayed = replay(); !replayed) {
    deltas_.clear();
    observer_.on_log(Log::Level::warning, "the published model cannot be restored (" +
                                              replayed.error().text() + "); it goes whole");
    return published_model(position.model);
  }
  return published_model(position.model);
}

// model_ is the round's. Returns what the record needs; none if the model itself is published, whose name is then that of the
// published one.
Result<std::optional<Published>> Engine::publish(RoundId round) {
  const Compression& compression = config_.coordinator.compression;
  const bool whole = !published_ || (compression.full_every > 0 && round.value % compression.full_every == 0);
  if (!whole) {
    // Nobody needs the sum any more.
    const auto difference = accumulator_.scratch();
    kernels::subtract(*model_, *published_, difference);
    const codecs::Seeds seeds = messages::delta_seeds({published_digest_, {}, 0});
    std::vector<std::byte> bytes, packed;
    // What a codec with error feedback would keep is in x - y already.
    residual_.resize(compression.downlink->state_values());
    const bool within = codecs::Encoder(*compression.downlink)
                            .encode(difference, {}, residual_, seeds, codecs::delta_magnitude_max,
                                    codecs::Entropy::never, bytes);
    const auto update =
        codecs::Update::read(*compression.downlink, seeds, codecs::delta_magnitude_max, bytes, unpacked_);
    if (within && update && bytes.size() < std::min(delta_bytes_max, model_->size() * sizeof(float))) {
      messages::ModelDelta delta{published_digest_, {}, 0};
      bool is_packed = false;
      Result<Digest> stored{Digest{}};
      const auto pack = [&] {
        is_packed = compression.entropy && codecs::pack(bytes, packed);
        stored = store_.put_delta(is_packed ? packed : bytes);
      };
      {
        // What clients get is packed and stored while the published model follows.
        std::optional<std::jthread> packing;
        if (model_->size() >= elements_worth_a_thread) packing.emplace(pack);
        else pack();
        // ZeroMQ may still send what was published before.
        if (published_.use_count() > 1) published_ = std::make_shared<PageVector<float>>(*published_);
        published_check_ = update->accumulate(*published_);
      }
      if (!stored) return tl::unexpected<Error>(std::move(stored).error());
      if (is_packed) bytes.swap(packed);
      delta.blob = *stored;
      delta.bytes = bytes.size();
      Published out{messages::name_of(delta), published_check_, delta.blob};
      hold_delta(delta, std::move(bytes));
      published_digest_ = out.model;
      return out;
    }
  }
  published_ = model_;
  published_check_ = checksum(std::span<const float>(*model_));
  deltas_.clear();
  return std::nullopt;
}

// As many as are cheaper together than the model.
void Engine::hold_delta(const messages::ModelDelta& delta, std::vector<std::byte> bytes) {
  deltas_.push_back({delta, std::make_shared<const std::vector<std::byte>>(std::move(bytes))});
  const auto all = [&] {
    std::uint64_t sum = 0;
    for (const HeldDelta& held : deltas_) sum += held.delta.bytes;
    return sum;
  };
  while (deltas_.size() > messages::deltas_max || all() > model_->size() * sizeof(float)) deltas_.pop_front();
}

PublishedModel Engine::published_model(const Digest& model) const {
  if (!published_) return {model, model_check_, {}};
  PublishedModel out{published_digest_, published_check_, {}};
  if (published_ == model_) return out;
  for (const HeldDelta& held : deltas_) out.deltas.push_back(held.delta);
  return out;
}

}  // namespace hansa::server
