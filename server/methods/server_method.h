// What a training method needs on the aggregator, in addition to the server optimiser: corrections of the mean of the deltas,
// vectors that only the aggregator has, and the meaning of the mean of the vectors that clients send.
//
// Implementations: a file each (fed_dyn.h, fed_nova.h, scaffold.h). A method that needs nothing, such as sgd, has an object of
// this class. One thread at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/methods.h"
#include "common/training.h"
#include "server/aggregation/mean.h"
#include "server/aggregation/worker_pool.h"
#include "server/optimizers/optimizer_config.h"
#include "server/optimizers/server_optimizer.h"

namespace hansa::server {

// What is known about the updates of a round, also if only their sum is known.
struct RoundTotals {
  std::uint32_t updates = 0;  // that are in the mean
  double examples = 0;  // their weights
  std::uint64_t clients = 0;  // of the federation, whether they took part or not; at least 1
  double output_scale = 1;  // by which clients multiply what they send for the method's vectors; above 0
  Metrics metrics = {};  // sums over the updates
};

class ServerMethod {
 public:
  virtual ~ServerMethod() = default;

  // Vectors that only the aggregator has, as long as the model. They are stored with each round, as "METHOD.NAME".
  [[nodiscard]] virtual std::span<const ServerOptimizer::State> states() const { return {}; }
  // Changes the vectors of states() for a round, and returns the mean delta as the server optimiser gets it. `delta` and
  // `state` outlive what is returned.
  [[nodiscard]] virtual std::unique_ptr<const Mean> correct(
      const Mean& delta, const RoundTotals& /*totals*/, std::span<const std::span<float>> /*state*/) const {
    return std::make_unique<PartOfMean>(delta, 0, delta.elements());
  }
  // A round changes each vector that clients have as an input by the mean of their outputs times this.
  [[nodiscard]] virtual double vector_factor(const RoundTotals& /*totals*/) const { return 1; }
};

// Whether the method corrects the mean of a round, or has vectors, so that all updates must be of the same round.
[[nodiscard]] bool needs_rounds(std::string_view method);

// buffers: ServerOptimizerConfig::averaged, which no method corrects. workers outlives the
// method.
[[nodiscard]] std::unique_ptr<ServerMethod> make_server_method(
    const Method& method, const std::vector<ServerOptimizerConfig::Range>& buffers, WorkerPool& workers);

}  // namespace hansa::server
