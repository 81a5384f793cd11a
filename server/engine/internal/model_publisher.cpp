#include "server/engine/internal/model_publisher.h"

#include "server/engine/internal/delta_publisher.h"

namespace hansa::server::internal {

Result<void> WholePublisher::restore(const Store::Position&, const Model& model, EngineObserver&) {
  check_ = checksum(std::span<const float>(*model));
  return {};
}

Result<std::optional<Published>> WholePublisher::publish(RoundId, const Model& model, std::span<float>) {
  check_ = checksum(std::span<const float>(*model));
  return std::nullopt;
}

ServedModel WholePublisher::served(const Digest& digest, const Model& model) {
  return {{digest, check_, {}}, model, {}};
}

std::unique_ptr<ModelPublisher> make_publisher(const Compression& compression, Store& store) {
  if (compression.downlink) return std::make_unique<DeltaPublisher>(compression, store);
  return std::make_unique<WholePublisher>();
}

}  // namespace hansa::server::internal
