#include "server/engine/internal/state_vectors.h"

#include <algorithm>

namespace hansa::server::internal {

StateVectors::StateVectors(std::vector<std::string> names, std::size_t elements) : names_(std::move(names)) {
  vectors_.reserve(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) spans_.emplace_back(vectors_.emplace_back(elements));
}

Result<void> StateVectors::restore(Store& store, std::span<const StateVector> kept, RoundId round,
                                   EngineObserver& observer) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto found = std::ranges::find(kept, names_[i], &StateVector::name);
    if (found != kept.end()) {
      HANSA_TRY_VOID(store.get_model(found->vector, vectors_[i]));
    } else if (round.value > 0) {
      observer.on_log(Log::Level::warning, "round " + std::to_string(round.value) + " kept no vector \"" +
                                               names_[i] + "\"; it starts at zero");
    }
  }
  return {};
}

Result<std::vector<StateVector>> StateVectors::put(Store& store) const {
  std::vector<StateVector> out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    HANSA_TRY(const Digest digest, store.put_model(vectors_[i]));
    out.push_back({names_[i], digest});
  }
  return out;
}

}  // namespace hansa::server::internal
