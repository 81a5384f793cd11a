// FedDyn (Acar et al., ICLR 2021, algorithm 1): each client minimises its own loss, minus <g_i, w>, plus
// (alpha / 2) |w - w_global|^2, where g_i is the gradient of its own loss at its last model. So the gradient of each step has
// in addition -g_i + alpha (w - w_global), and afterwards g_i becomes g_i - alpha (y - w_global) for the trained model y.
// g_i is zero at first.
//
// The device keeps d_i = -g_i / alpha, in which alpha cancels, as it does in what the aggregator keeps
// (server/methods/fed_dyn.h): d_i grows by y - w_global, and the gradient has in addition alpha (w - (w_global - d_i)).
// Another alpha in a later round changes g_i and the aggregator's h alike. If all updates have the same weight, the aggregator's
// vector is the mean of all d_i. Buffers and personal parameters have no d_i.
#include <memory>
#include <utility>
#include <vector>

#include "learning/internal/method_vector.h"
#include "learning/internal/proximal_pull.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

class FedDyn final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    return *find_method(built_in_methods(), "feddyn");
  }
  [[nodiscard]] std::size_t vectors_held() const override { return 4; }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const TrainingConfig config = training_config(description(), task.request.method);
    const double alpha = number_option(description(), task.request.method, "alpha");
    const std::span<const float> global = task.request.inputs.front().values;
    const MethodVector drift(task.request, "feddyn.drift");
    std::vector<float> vector(global.begin(), global.end());
    const std::span<const float> before = drift.values();
    for (std::size_t i = 0; i < vector.size(); ++i) vector[i] -= before[i];
    ProximalPull pull(task.model, vector, alpha);
    HANSA_TRY(Trained trained,
              run_training(task.model, task.source,
                           {.config = config, .seed = task.request.seed, .stop = task.stop, .hook = &pull}));
    task.model.extract(vector);
    std::vector<float> after(global.size());
    for_trained_values(task.model.layout(),
                       [&](std::size_t i) { after[i] = before[i] + (vector[i] - global[i]); });
    drift.replace(std::move(after), trained.result.kept);
    return std::move(trained.result);
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_fed_dyn() { return std::make_unique<FedDyn>(); }

}  // namespace hansa::learning
