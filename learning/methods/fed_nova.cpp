// FedNova (Wang et al., NeurIPS 2020, equations 6 and 7): a client's change of the model is divided by a_i, the accumulated
// factors of its gradients (learning/internal/accumulated_steps.h), so that a client with more steps does not pull the model
// towards its own optimum. server/methods/fed_nova.h has the sum.
//
// The delta is multiplied by a_ref / a_i, where a_ref belongs to the option "reference_steps", which the aggregator sets for
// each round; the metric "normalisation" is a_i / a_ref - 1 for each example. If both are equal, nothing is computed, and
// the delta is that of mini-batch SGD, bit for bit. Buffers are averaged as they are, and personal parameters stay as they are.
//
// A client whose data grew after it reported them may make more steps than the reference. An a_i above 4 a_ref counts as
// 4 a_ref, because the aggregator believes no more.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "learning/internal/accumulated_steps.h"
#include "learning/internal/trainable_vectors.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

constexpr double ratio_max = 4;  // as FedNova::factor_max of the aggregator

std::uint64_t reference_steps(const Method& method) {
  const auto found = std::ranges::find(method.options, "reference_steps", &Option::name);
  if (found == method.options.end()) return 1;
  return static_cast<std::uint64_t>(std::get<std::int64_t>(found->value));
}

// Multiplies the changes of the trained values since `global`.
void scale_changes(Model& model, std::span<const float> global, double factor) {
  const auto before = by_trainable(model, global);
  const auto trainables = model.trainables();
  for (std::size_t t = 0; t < before.size(); ++t)
    for (std::size_t i = 0; i < before[t].size(); ++i) {
      const double change = static_cast<double>(trainables[t].memory[i]) - before[t][i];
      trainables[t].memory[i] = static_cast<float>(before[t][i] + factor * change);
    }
}

class FedNova final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    return *find_method(built_in_methods(), "fednova");
  }
  [[nodiscard]] std::size_t vectors_held() const override { return 1; }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const TrainingConfig config = training_config(description(), task.request.method);
    HANSA_TRY(Trained trained,
              run_training(task.model, task.source,
                           {.config = config, .seed = task.request.seed, .stop = task.stop}));
    const double reference = accumulated_steps(reference_steps(task.request.method), config);
    const double ratio = std::min(accumulated_steps(trained.steps, config) / reference, ratio_max);
    if (ratio != 1) scale_changes(task.model, task.request.inputs.front().values, 1 / ratio);
    const auto examples = static_cast<double>(trained.result.examples);
    trained.result.metrics.push_back({"normalisation", examples * (ratio - 1), examples});
    return std::move(trained.result);
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_fed_nova() { return std::make_unique<FedNova>(); }

}  // namespace hansa::learning
