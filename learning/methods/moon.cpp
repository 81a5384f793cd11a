// MOON (Li, He, Song, CVPR 2021, equation 5): to the loss of each example is added mu times
//   -log(exp(sim(z, z_glob) / tau) / (exp(sim(z, z_glob) / tau) + exp(sim(z, z_prev) / tau)))
// where sim is the cosine similarity and tau the "temperature". z is the example's representation (internal/representation.h) by the model
// that is trained, z_glob that by the received model, and z_prev that by this device's model after its last counted
// task, which it keeps. Personal parameters have their values before the task in both.
//
// z_glob and z_prev are computed once, before the training, of the examples without the random changes of training: two
// forward passes over the data, and a row of each in memory for every example. In the first task there is no z_prev. It would
// be z_glob, the term would be mu log 2 whatever z is, and so it is left out.
#include <memory>
#include <utility>
#include <vector>

#include "learning/internal/representation.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/kept_values.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

constexpr std::string_view previous_model = "moon.previous";

class Contrast final : public GradientHook {
 public:
  struct Anchors {
    at::Tensor global, previous;  // examples x values
  };
  Contrast(Anchors anchors, double mu, double temperature)
      : anchors_(std::move(anchors)), mu_(mu), temperature_(temperature) {}

  [[nodiscard]] Result<at::Tensor> further_loss(Model& model, const ComputedBatch& batch) override {
    HANSA_TRY(const at::Tensor z, representation(model, batch));
    at::Tensor places = at::empty({static_cast<std::int64_t>(batch.examples.size())}, at::kLong);
    std::copy(batch.examples.begin(), batch.examples.end(), places.data_ptr<std::int64_t>());
    const auto similarity = [&](const at::Tensor& anchors) {
      return at::cosine_similarity(z, anchors.index_select(0, places), 1);
    };
    // -log(a / (a + b)) = log(1 + b / a)
    const at::Tensor margin = (similarity(anchors_.previous) - similarity(anchors_.global)) / temperature_;
    return mu_ * at::softplus(margin).mean();
  }

 private:
  // The result of forward() was computed for the loss.
  static Result<at::Tensor> representation(Model& model, const ComputedBatch& batch) {
    if (model.traits().has_representation || !batch.computed.output.defined())
      return representation_of(model, batch.batch);
    const at::Tensor& output = batch.computed.output;
    return output.reshape({output.size(0), -1}).to(at::kFloat);
  }

  Anchors anchors_;
  double mu_, temperature_;
};

class Moon final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    static const MethodDescription& found = *find_method(built_in_methods(), "moon");
    return found;
  }

  [[nodiscard]] bool computes_representations() const override { return true; }

  // The kept vector and the new one.
  [[nodiscard]] std::size_t vectors_held() const override { return 2; }
  // Two representations of each example.
  [[nodiscard]] Result<std::uint64_t> further_bytes(const MethodTask& task) const override {
    HANSA_TRY(const std::uint64_t values, representation_size(task.model, task.source, run_of(task)));
    return 2 * values * task.source.example_count() * sizeof(float);
  }

  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const Method& method = task.request.method;
    const TrainingConfig config = training_config(description(), method);
    const double mu = number_option(description(), method, "mu");
    if (task.model.traits().has_training_loss && !task.model.traits().has_representation)
      return fail(ErrorCode::model, task.model.location(),
                  "has a training_loss, so that what forward returns need not be a representation",
                  "give the model a representation(x), or use another strategy.method than \"moon\"",
                  {ReasonCode::output_unfit, {}});
    const std::span<const float> previous =
        find_kept_values(task.request.kept, previous_model, task.model.layout());
    std::unique_ptr<Contrast> contrast;
    if (!previous.empty() && mu > 0) {
      Contrast::Anchors anchors;
      task.model.assign(previous);
      HANSA_TRY(anchors.previous, representations(task.model, task.source, run_of(task)));
      task.model.assign(task.request.inputs.front().values);
      HANSA_TRY(anchors.global, representations(task.model, task.source, run_of(task)));
      contrast = std::make_unique<Contrast>(std::move(anchors), mu,
                                            number_option(description(), method, "temperature"));
    }
    HANSA_TRY(Trained trained,
              run_training(
                  task.model, task.source,
                  {.config = config, .seed = task.request.seed, .stop = task.stop, .hook = contrast.get()}));
    std::vector<float> values(task.model.layout().element_count());
    task.model.extract(values);
    trained.result.kept.emplace(previous_model, KeptVector(task.model.layout().digest(), std::move(values)));
    return std::move(trained.result);
  }

 private:
  [[nodiscard]] RepresentationRun run_of(const MethodTask& task) const {
    return {training_config(description(), task.request.method).batch_size, task.request.seed, task.stop};
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_moon() { return std::make_unique<Moon>(); }

}  // namespace hansa::learning
