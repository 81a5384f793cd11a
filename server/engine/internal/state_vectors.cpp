#include "server/engine/internal/state_vectors.h"

#include <algorithm>

#include "common/vector_digest.h"

namespace hansa::server::internal {

StateVectors::StateVectors(std::vector<Vector> vectors, std::size_t elements) : digests_(vectors.size()) {
  for (auto& [name, initial] : vectors) {
    names_.push_back(std::move(name));
    auto& values = *vectors_.emplace_back(std::make_shared<PageVector<float>>(elements));
    if (initial != 0) std::ranges::fill(values, initial);
    spans_.emplace_back(values);
  }
}

std::vector<std::shared_ptr<const PageVector<float>>> StateVectors::share() const {
  return {vectors_.begin(), vectors_.end()};
}

void StateVectors::detach() {
  for (std::size_t i = 0; i < vectors_.size(); ++i) {
    if (vectors_[i].use_count() == 1) continue;
    vectors_[i] = std::make_shared<PageVector<float>>(*vectors_[i]);
    spans_[i] = *vectors_[i];
  }
}

Result<void> StateVectors::restore(Store& store, std::span<const StateVector> kept, RoundId round,
                                   EngineObserver& observer) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto found = std::ranges::find(kept, names_[i], &StateVector::name);
    if (found != kept.end()) {
      digests_[i] = found->vector;
      HANSA_TRY_VOID(store.get_model(found->vector, *vectors_[i]));
      continue;
    }
    digests_[i] = vector_digest(*vectors_[i]);
    if (round.value > 0) {
      observer.on_log({Log::Level::warning, "round " + std::to_string(round.value) + " kept no vector \"" +
                                                names_[i] + "\"; it has its initial values"});
    }
  }
  return {};
}

Result<std::vector<StateVector>> StateVectors::put(Store& store) {
  std::vector<StateVector> out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    HANSA_TRY(const Digest digest, store.put_model(*vectors_[i]));
    digests_[i] = digest;
    out.push_back({names_[i], digest});
  }
  return out;
}

}  // namespace hansa::server::internal
