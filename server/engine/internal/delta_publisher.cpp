#include "server/engine/internal/delta_publisher.h"

#include <algorithm>
#include <cassert>
#include <future>

#include "common/kernels/vectors.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/seeds.h"
#include "protocols/codecs/update.h"

namespace hansa::server::internal {

void DeltaPublisher::publish_whole(const Model& model) {
  published_ = model;
  check_ = checksum(std::span<const float>(*model));
  deltas_.clear();
}

Result<void> DeltaPublisher::restore(const Store::Position& position, const Model& model,
                                     EngineObserver& observer) {
  publish_whole(model);
  name_ = position.model;
  // The last round that published its model in full, or whose published vector is stored.
  RoundId from = position.round;
  std::optional<Published> stored;
  for (; from.value > 0 && !stored; --from.value) {
    HANSA_TRY(const auto published, store_.published(from));
    if (!published) break;
    if (published->vector) stored = published;
  }
  if (stored) ++from.value;
  if (from == position.round && !stored) return {};
  // If the deltas cannot be used nothing is lost: all clients fetch the model in full.
  if (auto replayed = replay(from, stored, position, model->size()); !replayed) {
    deltas_.clear();
    observer.on_log({Log::Level::warning, "the published model cannot be restored (" +
                                              replayed.error().text() + "); it is sent in full"});
  }
  return {};
}

// Applies the deltas of all rounds after `from`, in order. If it fails, only deltas_ has changed.
Result<void> DeltaPublisher::replay(RoundId from, const std::optional<Published>& stored,
                                    const Store::Position& position, std::size_t elements) {
  HANSA_TRY(const auto record, store_.round(from.value > 0 ? from : RoundId(1)));
  if (!record) return fail(ErrorCode::storage, "store", "has lost a round");
  Digest base = from.value > 0 ? record->model : record->base;
  auto values = std::make_shared<PageVector<float>>(elements);
  HANSA_TRY_VOID(store_.get_model(stored ? *stored->vector : base, *values));
  Checksum check;
  if (stored) {
    base = stored->model;
    check = stored->check;
  }
  for (RoundId round = from; round < position.round;) {
    ++round.value;
    HANSA_TRY(const auto published, store_.published(round));
    if (!published) return fail(ErrorCode::storage, "store", "has lost a delta");
    HANSA_TRY(auto bytes, store_.get_delta(published->delta));
    HANSA_TRY(const auto update, codecs::Update::read(*compression_.downlink, codecs::delta_seeds(base),
                                                      codecs::delta_magnitude_max, bytes, unpacked_));
    if (update.accumulate(*values) != published->check)
      return fail(ErrorCode::storage, "store", "holds a delta that does not lead to the published model");
    const messages::ModelDelta delta{base, published->delta, bytes.size()};
    hold(delta, std::move(bytes));
    base = published->model;
    check = published->check;
  }
  published_ = std::move(values);
  name_ = base;
  check_ = check;
  return {};
}

Result<std::optional<Published>> DeltaPublisher::publish(RoundId round, const Model& model,
                                                         std::span<float> scratch) {
  const bool whole =
      !published_ || (compression_.full_every > 0 && round.value % compression_.full_every == 0);
  if (!whole) {
    if (scratch.size() < model->size()) {
      difference_.resize(model->size());
      scratch = difference_;
    }
    HANSA_TRY(auto published, publish_delta(model, scratch.first(model->size())));
    if (published) return published;
  }
  publish_whole(model);
  return std::nullopt;
}

Result<std::optional<Published>> DeltaPublisher::publish_delta(const Model& model,
                                                               std::span<float> difference) {
  const codecs::Plan& plan = *compression_.downlink;
  kernels::subtract(*model, *published_, difference);
  const codecs::Seeds seeds = codecs::delta_seeds(name_);
  std::vector<std::byte> bytes, packed;
  // The residual of a codec with error feedback is not kept, because x - y contains it.
  residual_.resize(plan.state_values());
  const bool within = codecs::Encoder(plan).encode(
      difference, {}, residual_, seeds, codecs::delta_magnitude_max, codecs::Entropy::never, bytes);
  const auto update = codecs::Update::read(plan, seeds, codecs::delta_magnitude_max, bytes, unpacked_);
  if (!within || !update || bytes.size() >= std::min(delta_bytes_max, model->size() * sizeof(float)))
    return std::nullopt;
  bool is_packed = false;
  Result<Digest> stored{Digest{}};
  const auto pack = [&] {
    is_packed = compression_.entropy && codecs::pack(bytes, packed);
    stored = store_.put_delta(is_packed ? packed : bytes);
  };
  {
    // The delta is packed and stored while the published model is updated.
    std::future<void> packing;
    if (model->size() >= elements_worth_a_thread) packing = std::async(std::launch::async, pack);
    else pack();
    // Copied if ZeroMQ may still be sending the previous published model.
    if (published_.use_count() > 1) published_ = std::make_shared<PageVector<float>>(*published_);
    check_ = update->accumulate(*published_);
    if (packing.valid()) packing.get();
  }
  if (!stored) return tl::unexpected<Error>(std::move(stored).error());
  if (is_packed) bytes.swap(packed);
  const messages::ModelDelta delta{name_, *stored, bytes.size()};
  name_ = messages::name_of(delta.base, delta.blob);
  hold(delta, std::move(bytes));
  return Published{name_, check_, delta.blob};
}

// Appends a delta, and removes the oldest ones until there are at most deltas_max, which together are no larger than
// the model.
void DeltaPublisher::hold(const messages::ModelDelta& delta, std::vector<std::byte> bytes) {
  deltas_.push_back({delta, std::make_shared<const std::vector<std::byte>>(std::move(bytes))});
  const auto all = [&] {
    std::uint64_t sum = 0;
    for (const HeldDelta& held : deltas_) sum += held.delta.bytes;
    return sum;
  };
  while (deltas_.size() > messages::deltas_max || all() > compression_.downlink->values() * sizeof(float))
    deltas_.pop_front();
}

ServedModel DeltaPublisher::served(const Digest& digest, const Model& model) {
  if (published_ == model) name_ = digest;
  ServedModel out{{name_, check_, {}}, published_, {}};
  for (const HeldDelta& held : deltas_) {
    out.names.deltas.push_back(held.delta);
    out.deltas.push_back(held.bytes);
  }
  return out;
}

}  // namespace hansa::server::internal
