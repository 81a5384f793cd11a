// SCAFFOLD (Karimireddy et al., ICML 2020, algorithm 1) with option II of line 12.
//
// Input "control" is c, the mean of the control variates of all clients; the device keeps its own, c_i, zero at first and
// unchanged in rounds without this client. A step follows the gradient g - c_i + c. With x the global model, y the trained
// one and eta the learning rate of the round, afterwards
//   c_i+ = c_i - c + (x - y) / (K eta),
// and the output "control_change" is (c_i+ - c_i) * output_scale / examples: server/methods/scaffold.h says why.
//
// The option "correction" is
//   inside:  the correction is part of the gradient, before momentum and clipping, and K is the sum of the factors of the
//            gradients (learning/internal/accumulated_steps.h), which without momentum is the number of steps. So c_i is a
//            mean gradient with any momentum.
//   outside: as NIID-Bench (Li et al., ICDE 2022) computes it: weights change by -eta (c - c_i) after each step of the
//            optimiser, and K is the number of steps. With momentum rho, c_i is about 1 / (1 - rho) gradients.
// Weight decay is part of the gradient. Buffers and personal parameters have no variate.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learning/internal/accumulated_steps.h"
#include "learning/internal/method_vector.h"
#include "learning/internal/trainable_vectors.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

enum class Correction : std::uint8_t { inside, outside };

class VariateCorrection final : public GradientHook {
 public:
  // difference: c - c_i, of the layout.
  VariateCorrection(const Model& model, std::span<const float> difference, Correction correction,
                    double learning_rate)
      : difference_(by_trainable(model, difference)),
        correction_(correction),
        learning_rate_(static_cast<float>(learning_rate)) {}
  void correct(std::size_t trainable, std::span<const float> /*weights*/,
               std::span<float> gradient) override {
    if (correction_ != Correction::inside) return;
    const std::vector<float>& difference = difference_[trainable];
    for (std::size_t i = 0; i < difference.size(); ++i) gradient[i] += difference[i];
  }
  void after_step(std::size_t trainable, std::span<float> weights) override {
    if (correction_ != Correction::outside) return;
    const std::vector<float>& difference = difference_[trainable];
    for (std::size_t i = 0; i < difference.size(); ++i) weights[i] -= learning_rate_ * difference[i];
  }

 private:
  std::vector<std::vector<float>> difference_;
  Correction correction_;
  float learning_rate_;
};

Result<Correction> correction_of(const Method& method) {
  const std::string text = text_option(method, "correction");
  if (text.empty() || text == "inside") return Correction::inside;
  if (text == "outside") return Correction::outside;
  return fail(ErrorCode::refused, "option \"correction\" of method \"scaffold\"",
              "is neither \"inside\" nor \"outside\"", {}, {ReasonCode::option_invalid, {}});
}

class Scaffold final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    return *find_method(built_in_methods(), "scaffold");
  }
  [[nodiscard]] std::size_t vectors_held() const override { return 4; }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const TrainingConfig config = training_config(description(), task.request.method);
    HANSA_TRY(const Correction correction, correction_of(task.request.method));
    const std::span<const float> global = task.request.inputs[0].values;
    const std::span<const float> common = task.request.inputs[1].values;  // c
    const MethodVector control(task.request, "scaffold.control");
    const std::span<const float> own = control.values();  // c_i
    std::vector<float> vector(global.size());
    for_trained_values(task.model.layout(), [&](std::size_t i) { vector[i] = common[i] - own[i]; });
    VariateCorrection hook(task.model, vector, correction, config.learning_rate);
    HANSA_TRY(Trained trained,
              run_training(task.model, task.source,
                           {.config = config, .seed = task.request.seed, .stop = task.stop, .hook = &hook}));
    task.model.extract(vector);  // y
    const double steps = correction == Correction::inside ? accumulated_steps(trained.steps, config)
                                                          : static_cast<double>(trained.steps);
    const double scale = 1 / (steps * config.learning_rate);
    const double sent = number_option(description(), task.request.method, "output_scale") /
                        static_cast<double>(trained.result.examples);
    std::vector<float> next(global.size());  // c_i+
    std::vector<float>& change = task.outputs[0];
    for_trained_values(task.model.layout(), [&](std::size_t i) {
      const double moved = static_cast<double>(global[i]) - vector[i];
      next[i] = static_cast<float>(static_cast<double>(own[i]) - common[i] + moved * scale);
      change[i] = static_cast<float>((static_cast<double>(next[i]) - own[i]) * sent);
    });
    control.replace(std::move(next), trained.result.kept);
    return std::move(trained.result);
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_scaffold() { return std::make_unique<Scaffold>(); }

}  // namespace hansa::learning
