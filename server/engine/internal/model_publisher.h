// What clients get as the model of a round: the model itself (WholePublisher), or a model near it to which encoded
// deltas lead (delta_publisher.h).
//
// One thread at a time calls a publisher: the engine's at a start, the commit's afterwards. What served() returns is
// safe for another thread while the publisher is not called.
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

// From this size on, a second thread is worth its start.
inline constexpr std::size_t elements_worth_a_thread = 1 << 18;

// What clients may pull, with its names.
struct ServedModel {
  PublishedModel names;
  std::shared_ptr<const PageVector<float>> whole;
  std::vector<std::shared_ptr<const std::vector<std::byte>>> deltas;  // of names.deltas, in the same order
  std::vector<std::shared_ptr<const PageVector<float>>> vectors = {};  // of names.vectors, in the same order
};

class ModelPublisher {
 public:
  virtual ~ModelPublisher() = default;
  // At a start: brings back what was published at that position, whose model is given. Fails (storage).
  [[nodiscard]] virtual Result<void> restore(const Store::Position& position, const Model& model,
                                             EngineObserver& observer) = 0;
  // Publishes the model of a round, and returns what the round's record says of it; none if the model itself is
  // published. scratch: memory for as many floats as the model has, or none. May run while Store::put_model does.
  // Fails (storage).
  [[nodiscard]] virtual Result<std::optional<Published>> publish(RoundId round, const Model& model,
                                                                 std::span<float> scratch) = 0;
  // What restore() or publish() published last; digest names the model that was given to it.
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
