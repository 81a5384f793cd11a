// Publishes a model y near the round's model x. Clients follow y by encoded deltas: y += C(x - y). The error of a delta
// stays in x - y and is part of the next delta. So x is computed as it would be without deltas, except that training
// starts from y (error feedback at the server: Tang, Yu, Lian, Zhang, Liu, "DoubleSqueeze", ICML 2019; a model that the
// server keeps: Philippenko, Dieuleveut, NeurIPS 2021). From time to time the model is published in full, and y = x.
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "server/engine/internal/model_publisher.h"

namespace hansa::server::internal {

class DeltaPublisher final : public ModelPublisher {
 public:
  // compression.downlink must not be null.
  DeltaPublisher(Compression compression, Store& store)
      : compression_(std::move(compression)), store_(store) {}

  [[nodiscard]] Result<void> restore(const Store::Position& position, const Model& model,
                                     EngineObserver& observer) override;
  [[nodiscard]] Result<std::optional<Published>> publish(RoundId round, const Model& model,
                                                         std::span<float> scratch) override;
  [[nodiscard]] ServedModel served(const Digest& digest, const Model& model) override;

 private:
  struct HeldDelta {
    messages::ModelDelta delta;
    std::shared_ptr<const std::vector<std::byte>> bytes;
  };

  void publish_whole(const Model& model);
  // Empty if the delta would not be smaller than the model, or if its values are out of a codec's range.
  [[nodiscard]] Result<std::optional<Published>> publish_delta(const Model& model,
                                                               std::span<float> difference);
  // stored: what the round `from` published, if the store has that vector.
  [[nodiscard]] Result<void> replay(RoundId from, const std::optional<Published>& stored,
                                    const Store::Position& position, std::size_t elements);
  void hold(const messages::ModelDelta& delta, std::vector<std::byte> bytes);

  Compression compression_;
  Store& store_;
  Model published_;  // y; the same object as x if x was published in full
  Digest name_;  // the name of published_; for a model that was published in full, served() sets it
  Checksum check_;
  std::deque<HeldDelta> deltas_;  // the last ones, which lead to published_
  std::vector<std::byte> unpacked_;  // memory for reading deltas
  std::vector<float> difference_, residual_;  // memory for making deltas
};

}  // namespace hansa::server::internal
