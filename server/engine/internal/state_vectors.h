// Named vectors that a run keeps from round to round for a server optimiser or a training method. Each is as long as
// the model and is stored like a model; the round's record names it.
//
// One thread at a time.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/page_memory.h"
#include "server/engine/observer.h"
#include "server/store/store.h"

namespace hansa::server::internal {

class StateVectors {
 public:
  struct Vector {
    std::string name;
    float initial = 0;  // all of its values before the first round
  };
  StateVectors(std::vector<Vector> vectors, std::size_t elements);

  // Reads the vectors that `kept` names. A vector that it does not name keeps its initial values, which is logged unless
  // the round is 0. Fails as Store::get_model does.
  [[nodiscard]] Result<void> restore(Store& store, std::span<const StateVector> kept, RoundId round,
                                     EngineObserver& observer);
  // Stores all of them. Fails as Store::put_model does.
  [[nodiscard]] Result<std::vector<StateVector>> put(Store& store);

  [[nodiscard]] std::size_t size() const { return vectors_.size(); }
  // In the order of the names.
  [[nodiscard]] std::span<const std::span<float>> spans() const { return spans_; }
  // As of the last restore() or put(), in the order of the names.
  [[nodiscard]] std::span<const Digest> digests() const { return digests_; }
  // The current vectors, for a reader that may outlive the next change.
  [[nodiscard]] std::vector<std::shared_ptr<const PageVector<float>>> share() const;
  // Called before a change. Copies the vectors that a reader still holds, so that the reader keeps the old values.
  void detach();

 private:
  std::vector<std::string> names_;
  std::vector<std::shared_ptr<PageVector<float>>> vectors_;
  std::vector<Digest> digests_;
  std::vector<std::span<float>> spans_;  // of vectors_
};

}  // namespace hansa::server::internal
