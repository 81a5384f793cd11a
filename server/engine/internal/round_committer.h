// Turns the sum of a round into the next model, and makes the round durable.
//
// An update is one vector after the other: first the model's delta, then the changes of the training method's
// vectors, in the order of their names. The server optimiser makes the next model from the mean of the first; each
// vector of the method grows by the mean of its change (control variates: Karimireddy et al., "SCAFFOLD", ICML 2020,
// algorithm 1, line 17). Vectors of the optimiser and of the method are stored with the model, and the record names
// them. Clients get the method's vectors as inputs of their tasks.
//
// One thread at a time: the engine's at a start, the executor's for commit(). Between the two calls of a commit (its
// start and its answer) no other call comes.
#pragma once
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
#include "server/optimizers/fed_avg.h"
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

struct CommitterConfig {
  std::size_t elements = 0;  // of the model
  Compression compression;
  ServerOptimizerConfig optimizer;
  std::string method;  // its name is part of its vectors' names in the record
  std::vector<std::string> method_vectors;  // names of the inputs
};

class RoundCommitter {
 public:
  // All outlive the committer. form: of updates of elements * (1 + method_vectors) values.
  RoundCommitter(const CommitterConfig& config, Store& store, UpdateForm& form, WorkerPool& workers);

  // Reads what the last round left: state are its vectors, or the run's initial ones. Fails (storage).
  [[nodiscard]] Result<ServedModel> restore(const Store::Position& position,
                                            std::span<const StateVector> state, EngineObserver& observer);
  // The record lacks what the sum and the store know. What the last commit() served may still be on its way to clients.
  [[nodiscard]] CommitOutcome commit(RoundRecord record, const std::optional<SumOpening>& opening);

 private:
  // Where the next model goes: in place, unless a part of the model still waits to be sent.
  [[nodiscard]] Model next_model() const;
  void step(const Mean& mean);
  [[nodiscard]] Result<void> store(RoundRecord& record);
  [[nodiscard]] ServedModel served();

  Store& store_;
  UpdateForm& form_;
  std::unique_ptr<ServerOptimizer> optimizer_;
  FedAvg sum_up_;  // of the method's vectors
  StateVectors optimizer_state_;
  StateVectors method_state_;
  std::vector<std::string> method_vectors_;  // names of the inputs
  std::unique_ptr<ModelPublisher> publisher_;
  Model model_;
  Digest digest_;  // of model_
};

}  // namespace hansa::server::internal
