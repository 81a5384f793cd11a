// A training method: how a client makes a task's outputs from its inputs and its own data.
//
// "sgd", "adam", "adamw", "fedbn" and "fedper" (local_training.cpp) train the model, and their only output is the delta. fed_prox.cpp,
// scaffold.cpp, fed_nova.cpp and fed_dyn.cpp correct the drift of clients with different data; fed_rep.cpp and ditto.cpp give each
// device a model of its own; moon.cpp adds to the loss. A method may read further inputs, correct each
// gradient (GradientHook of learning/internal/training_loop.h), write further outputs, and keep vectors on the device
// from task to task (TrainingRequest::kept, TrainingResult::kept). To add a method, add its file here, its line in
// registry.cpp, its description in common/methods.cpp, and its settings in the aggregator's configuration.
#pragma once
#include <cstdint>
#include <optional>
#include <cstddef>
#include <span>
#include <stop_token>
#include <vector>

#include "common/methods.h"
#include "learning/trainer.h"

namespace hansa::learning {

class DataSource;
class Model;

struct MethodTask {
  Model& model;  // holds the input "model" and the personal layers; afterwards it holds what was learned
  const DataSource& source;
  // Its method has passed check_method(), and its inputs are those of the description.
  const TrainingRequest& request;
  std::span<std::vector<float>> outputs;  // those after "delta", in the description's order; sized, and zero
  std::stop_token stop;
};

// Stateless: any thread may call it.
class TrainingMethod {
 public:
  virtual ~TrainingMethod() = default;
  [[nodiscard]] virtual const MethodDescription& description() const = 0;
  // The vectors of the model's size that train() holds in addition to the inputs, the outputs and the optimiser's state; with
  // those that the device keeps.
  [[nodiscard]] virtual std::size_t vectors_held() const { return 0; }
  // Equal tasks give equal bits. The caller computes "delta" from the model afterwards. Fails: resource ("stopped"),
  // data (the loss is not finite), model (the archive's code fails); the model's and the outputs' values are undefined
  // then.
  [[nodiscard]] virtual Result<TrainingResult> train(const MethodTask& task) const = 0;

  // The device's own model of the whole layout, if the method trains one: what was kept of it, or else the received model.
  // The values are the request's. Empty: there is none.
  [[nodiscard]] virtual std::optional<std::span<const float>> personal_model(
      const TrainingRequest& /*request*/, const ParameterLayout& /*layout*/) const {
    return std::nullopt;
  }
  // Whether each step computes the batch's representation too (Model::representation).
  [[nodiscard]] virtual bool computes_representations() const { return false; }
  // Memory that train() needs in addition to vectors_held() and what training without this method needs. The task has no
  // outputs, and the model must be assigned again afterwards. Fails as train() does.
  [[nodiscard]] virtual Result<std::uint64_t> further_bytes(const MethodTask& /*task*/) const { return 0; }
};

}  // namespace hansa::learning
