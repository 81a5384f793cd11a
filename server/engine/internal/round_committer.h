// Turns the sum of a round into the next model, and makes the round durable.
//
// An update is a concatenation of vectors: the model's delta, then the changes of the training method's vectors, in the
// order of their names. The server optimiser computes the next model from the mean delta, as the method corrects it
// (server/methods/server_method.h). Each vector of the method changes by the mean of its changes, times the method's factor.
// Vectors of the optimiser and of the method are stored with the model, and the record names them; so is the aggregate of
// the round for a form that begins at it in the next one. Clients get the
// method's vectors as inputs of their tasks.
//
// One thread at a time: the engine's thread at the start, the executor's for commit(). No other call comes while a
// commit is in progress.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/error.h"
#include "server/aggregation/update_form.h"
#include "server/aggregation/worker_pool.h"
#include "server/engine/internal/model_publisher.h"
#include "server/engine/internal/state_vectors.h"
#include "server/methods/server_method.h"
#include "server/optimizers/server_optimizer.h"
#include "server/store/store.h"

namespace hansa::server::internal {

struct Committed {
  RoundRecord record;  // as it was stored
  ServedModel served;
};
// The sum cannot be opened; nothing was changed or stored.
struct Refused {
  RoundId round;
  std::string reason;
  ServedModel served;
};
// An Error ends the run: what was committed before stays.
using CommitOutcome = std::variant<Committed, Refused, Error>;

// Whether served() also has the digests of the values that clients receive.
enum class ValueDigests : std::uint8_t { omitted, computed };

struct CommitterConfig {
  std::size_t elements = 0;  // of the model
  Compression compression;
  ServerOptimizerConfig optimizer;
  Method method;  // its name is part of its vectors' names in the record
  std::vector<std::string> method_vectors;  // names of the inputs
  ValueDigests value_digests = ValueDigests::omitted;
  std::vector<std::uint64_t> layer_sizes = {};  // EngineConfig::layer_sizes
};

// What a round's method needs to know, and neither record nor sum has (RoundTotals).
struct RoundFacts {
  std::uint64_t clients = 1;
  double output_scale = 1;
};

class RoundCommitter {
 public:
  // store, form and workers must outlive the committer. form: for updates of elements * (1 + method_vectors.size())
  // values.
  RoundCommitter(const CommitterConfig& config, Store& store, UpdateForm& form, WorkerPool& workers);

  // Reads the model and the vectors of the last committed round. state: that round's vectors, or the run's initial
  // ones. Fails (storage).
  [[nodiscard]] Result<ServedModel> restore(const Store::Position& position,
                                            std::span<const StateVector> state, EngineObserver& observer);
  // Completes the record with what the sum and the store know. What the last commit() returned may still be in flight
  // to clients.
  [[nodiscard]] CommitOutcome commit(RoundRecord record, const std::optional<SumOpening>& opening,
                                     const RoundFacts& facts);

 private:
  // The memory for the next model: that of the current model, unless a part of it still waits to be sent.
  [[nodiscard]] Model next_model() const;
  // Computes the next model and the method's vectors, and records the norms of the mean of the model deltas.
  void step(const Mean& mean, const RoundTotals& totals, RoundRecord& record);
  void keep_aggregate(const Mean& mean);
  [[nodiscard]] Result<void> store(RoundRecord& record);
  [[nodiscard]] ServedModel served();

  Store& store_;
  UpdateForm& form_;
  std::unique_ptr<ServerOptimizer> optimizer_;
  std::unique_ptr<ServerMethod> method_;
  StateVectors optimizer_state_;
  StateVectors method_state_;  // the vectors that clients have as inputs
  StateVectors server_state_;  // those of the method that only the aggregator has
  StateVectors previous_;  // the last aggregate, for a form that begins at it; otherwise none
  std::vector<std::string> method_vectors_;  // names of the inputs
  ValueDigests value_digests_;
  std::vector<std::uint64_t> layer_sizes_;
  WorkerPool& workers_;
  std::unique_ptr<ModelPublisher> publisher_;
  Model model_;
  Digest digest_;  // the name of model_
};

}  // namespace hansa::server::internal
