// Ditto (Li et al., ICML 2021, algorithm 1): the global model is trained as by SGD. In addition, the device trains a model v of
// all parameters for itself, which is pulled to the received global model w:
//   v <- v - eta (grad F(v) + lambda (v - w))
// v starts at the first global model that the device receives, and is kept on the device if the update is counted.
// Buffers of v, such as running statistics, are those of its own training. v sees the examples in an order of its own.
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "common/random.h"
#include "learning/internal/proximal_pull.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/kept_values.h"
#include "learning/methods/method.h"
#include "learning/model_saver.h"

namespace hansa::learning {
namespace {

class Ditto final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    static const MethodDescription& found = *find_method(built_in_methods(), "ditto");
    return found;
  }

  [[nodiscard]] std::optional<std::span<const float>> personal_model(
      const TrainingRequest& request, const ParameterLayout& layout) const override {
    const std::span<const float> kept = find_kept_values(request.kept, personal_model_vector, layout);
    return kept.empty() ? request.inputs.front().values : kept;
  }

  // The kept vector, the new one, the trained global model, and what v is pulled to.
  [[nodiscard]] std::size_t vectors_held() const override { return 4; }

  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const Method& method = task.request.method;
    const TrainingConfig config = training_config(description(), method);
    HANSA_TRY(Trained trained,
              run_training(task.model, task.source,
                           {.config = config, .seed = task.request.seed, .stop = task.stop}));
    std::vector<float> global(task.model.layout().element_count());
    task.model.extract(global);
    HANSA_TRY_VOID(train_personal(task, config, trained.result));
    task.model.assign(global);
    return std::move(trained.result);
  }

 private:
  [[nodiscard]] Result<void> train_personal(const MethodTask& task, TrainingConfig config,
                                            TrainingResult& result) const {
    const Method& method = task.request.method;
    if (const double epochs = number_option(description(), method, "personal_epochs"); epochs > 0)
      config.epochs = static_cast<std::uint32_t>(epochs);
    ProximalPull pull(task.model, task.request.inputs.front().values,
                      number_option(description(), method, "lambda"));
    task.model.assign(*personal_model(task.request, task.model.layout()));
    const std::uint64_t seed = derive_seed(task.request.seed, "the personal model of Ditto");
    HANSA_TRY(const Trained personal,
              run_training(task.model, task.source,
                           {.config = config, .seed = seed, .stop = task.stop, .hook = &pull}));
    result.samples += personal.result.samples;
    result.train_seconds += personal.result.train_seconds;
    std::vector<float> values(task.model.layout().element_count());
    task.model.extract(values);
    result.kept.emplace(personal_model_vector, KeptVector(task.model.layout().digest(), std::move(values)));
    return {};
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_ditto() { return std::make_unique<Ditto>(); }

}  // namespace hansa::learning
