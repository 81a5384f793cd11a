// Publishes the model that clients receive for a round: the model itself (WholePublisher), or a model near it to which
// encoded deltas lead (delta_publisher.h).
//
// One thread at a time calls a publisher: the engine's thread at the start, afterwards the thread of the commit.
// Another thread may read the result of served() while the publisher is not called.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/error.h"
#include "common/page_memory.h"
#include "server/coordinator/coordinator.h"
#include "server/engine/observer.h"
#include "server/store/store.h"

namespace hansa::server::internal {

using Model = std::shared_ptr<PageVector<float>>;

// For vectors of at least this size, a second thread saves more time than its start costs.
inline constexpr std::size_t elements_worth_a_thread = 1 << 18;

// The blobs that clients may pull, and their names.
struct ServedModel {
  PublishedModel names;
  std::shared_ptr<const PageVector<float>> whole;
  std::vector<std::shared_ptr<const std::vector<std::byte>>> deltas;  // of names.deltas, in the same order
  std::vector<std::shared_ptr<const PageVector<float>>> vectors = {};  // of names.vectors, in the same order
  // The model itself and its name, which clients fetch after the last round; whole may only be near it.
  std::shared_ptr<const PageVector<float>> exact = {};
  Digest exact_name = {};
};

class ModelPublisher {
 public:
  virtual ~ModelPublisher() = default;
  // Called at the start. Restores what was published at this position, whose model is given. Fails (storage).
  [[nodiscard]] virtual Result<void> restore(const Store::Position& position, const Model& model,
                                             EngineObserver& observer) = 0;
  // Publishes the model of a round. Returns the entry for the round's record; empty if the model itself is published.
  // scratch: memory for as many floats as the model has, or empty. May run concurrently with Store::put_model. Fails
  // (storage).
  [[nodiscard]] virtual Result<std::optional<Published>> publish(RoundId round, const Model& model,
                                                                 std::span<float> scratch) = 0;
  // What restore() or publish() published last. `model` is the model that was passed to it, and `digest` its name.
  [[nodiscard]] virtual ServedModel served(const Digest& digest, const Model& model) = 0;
};

class WholePublisher final : public ModelPublisher {
 public:
  [[nodiscard]] Result<void> restore(const Store::Position& position, const Model& model,
                                     EngineObserver& observer) override;
  [[nodiscard]] Result<std::optional<Published>> publish(RoundId round, const Model& model,
                                                         std::span<float> scratch) override;
  [[nodiscard]] ServedModel served(const Digest& digest, const Model& model) override;

 private:
  Checksum check_;
};

// store outlives the publisher.
[[nodiscard]] std::unique_ptr<ModelPublisher> make_publisher(const Compression& compression, Store& store);

}  // namespace hansa::server::internal
