// Publishes a model y near the round's model x, to which clients are led by encoded deltas: y += C(x - y). What a
// delta loses stays in x - y and comes with the next one, so x is what it would be without deltas, except that
// training starts from y (error feedback at the server: Tang, Yu, Lian, Zhang, Liu, "DoubleSqueeze", ICML 2019; a
// model that the server keeps: Philippenko, Dieuleveut, NeurIPS 2021). Now and then the model is published in full,
// and y = x.
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "server/engine/internal/model_publisher.h"

namespace hansa::server::internal {

class DeltaPublisher final : public ModelPublisher {
 public:
  // compression.downlink is there.
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
  // None: the delta would be no smaller than the model, or its values are out of a codec's range.
  [[nodiscard]] Result<std::optional<Published>> publish_delta(const Model& model,
                                                               std::span<float> difference);
  // stored: what `from` published, if that is where its vector is stored.
  [[nodiscard]] Result<void> replay(RoundId from, const std::optional<Published>& stored,
                                    const Store::Position& position, std::size_t elements);
  void hold(const messages::ModelDelta& delta, std::vector<std::byte> bytes);

  Compression compression_;
  Store& store_;
  Model published_;  // y; the same object as x where that was published in full
  Digest name_;  // of published_; of a model that was published in full it is known at served()
  Checksum check_;
  std::deque<HeldDelta> deltas_;  // the last ones, which lead to published_
  std::vector<std::byte> unpacked_;  // memory for reading deltas
  std::vector<float> difference_, residual_;  // memory for making deltas
};

}  // namespace hansa::server::internal
