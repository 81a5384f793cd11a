#include "server/aggregation/encoded_updates.h"

#include <algorithm>

namespace hansa::server {

Result<std::vector<double>> EncodedUpdates::add(const codecs::Plan& plan, const codecs::Seeds& seeds,
                                                float magnitude_max, Spool spool, std::uint64_t weight) {
  HANSA_TRY_VOID(sum_.check_weight(weight));
  HANSA_TRY(const auto bytes, spool.whole(read_));
  Place& place = places_[waiting_];
  HANSA_TRY(auto update, codecs::Update::read(plan, seeds, magnitude_max, bytes, place.unpacked));
  std::vector<double> norms = sum_.norms_of(update, vectors_);
  place.update.emplace(std::move(update));
  place.weight = weight;
  sum_.count_update(weight);
  ++waiting_;
  const bool stays = spool.in_memory();  // otherwise its bytes are in read_, which the next update overwrites
  place.spool.emplace(std::move(spool));
  const std::uint64_t fit = 2 * plan.values() / std::max<std::uint64_t>(1, plan.encoded_bytes_max());
  if (!stays || waiting_ >= std::min<std::uint64_t>(fit, waiting_max)) finish();
  return norms;
}

void EncodedUpdates::finish() {
  std::array<WeightedUpdate, waiting_max> updates;
  for (std::size_t i = 0; i < waiting_; ++i) updates[i] = {&*places_[i].update, places_[i].weight};
  sum_.add(std::span(updates).first(waiting_));
  forget();
}

void EncodedUpdates::forget() {
  for (Place& place : places_) {
    place.update.reset();
    place.spool.reset();
  }
  waiting_ = 0;
}

}  // namespace hansa::server
