#include "learning/internal/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/autograd.h>

#include "common/random.h"
#include "learning/internal/batch.h"
#include "learning/internal/batch_ends.h"
#include "learning/internal/loss.h"
#include "learning/internal/scores.h"
#include "learning/internal/sgd.h"

namespace hansa::learning {
namespace {

std::mutex& generator_turn() {
  static std::mutex mutex;
  return mutex;
}

struct EpochSums {
  double loss = 0;
  std::uint64_t samples = 0;
  AccuracyCount accuracy;

  [[nodiscard]] Metrics metrics() const {
    Metrics out{{"loss", loss, static_cast<double>(samples)}};
    if (auto of_labels = accuracy.metric()) out.push_back(*std::move(of_labels));
    return out;
  }
};

// The optimiser works on the model's own memory, so no gradient buffer is allocated, zeroed or added to.
class Optimiser {
 public:
  Optimiser(Model& model, const TrainingConfig& config, GradientHook* hook)
      : model_(model),
        hook_(hook),
        constants_{static_cast<float>(config.learning_rate), static_cast<float>(config.momentum),
                   static_cast<float>(config.weight_decay)} {
    for (const Model::Trainable& t : model.trainables())
      velocities_.emplace_back(config.momentum == 0 ? 0 : t.memory.size(), 0.0F);
  }

  void step(const at::Tensor& loss) {
    const auto gradients =
        torch::autograd::grad({loss}, model_.leaves(), /*grad_outputs=*/{}, /*retain_graph=*/{},
                              /*create_graph=*/false, /*allow_unused=*/true);
    const auto trainables = model_.trainables();
    for (std::size_t i = 0; i < trainables.size(); ++i) {
      at::Tensor gradient = gradients[i];
      if (!gradient.defined()) continue;  // forward does not use this parameter
      const at::Tensor& weight = trainables[i].tensor;
      if (gradient.strides() != weight.strides() || gradient.layout() != at::kStrided) {
        const at::Tensor dense = gradient.layout() == at::kStrided ? gradient : gradient.to_dense();
        gradient = at::empty_strided(weight.sizes(), weight.strides(), weight.options().requires_grad(false));
        gradient.copy_(dense);
      }
      // Two trainables may share one gradient.
      if (hook_ != nullptr) gradient = gradient.clone();
      const std::span<float> g(gradient.data_ptr<float>(), trainables[i].memory.size());
      if (hook_ != nullptr) hook_->correct(i, trainables[i].memory, g);
      sgd_step(trainables[i].memory, g, velocities_[i], constants_);
    }
  }

 private:
  Model& model_;
  GradientHook* hook_;
  SgdConstants constants_;
  std::vector<std::vector<float>> velocities_;
};

tl::unexpected<Error> loss_is_not_finite(const DataSource& source, float loss, std::uint64_t step) {
  return fail(ErrorCode::data, source.location(),
              std::string("the loss became ") + (std::isnan(loss) ? "NaN" : "infinite") + " at step " +
                  std::to_string(step + 1),
              "lower training.learning_rate, and check the data for extreme values",
              {ReasonCode::diverged, {}});
}

}  // namespace

std::optional<RandomNumbersTurn> take_turn(const Model& model, std::uint64_t seed) {
  if (!model.traits().draws_random_numbers) return std::nullopt;
  RandomNumbersTurn turn(generator_turn());
  at::manual_seed(seed);
  return turn;
}

Result<TrainingResult> run_training(Model& model, const DataSource& source, const TrainingConfig& config,
                                    std::uint64_t seed, const std::stop_token& stop, GradientHook* hook) {
  const auto count = static_cast<std::size_t>(source.example_count());
  const std::size_t batch_size_min = model.traits().normalises_batches ? 2 : 1;
  const std::vector<std::size_t> ends = batch_ends({count, config.batch_size, batch_size_min});
  BatchReader reader(source, largest_batch(ends), model.memory_order());
  Optimiser optimiser(model, config, hook);
  Random random(seed);
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);

  const std::optional<RandomNumbersTurn> turn = take_turn(model, seed);
  model.set_training(true);

  TrainingResult result;
  EpochSums sums;
  std::uint64_t step = 0;
  const std::uint64_t steps_max = config.steps_max == 0 ? UINT64_MAX : config.steps_max;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t epoch = 0; epoch < config.epochs && step < steps_max; ++epoch) {
    random.shuffle(std::span(order));
    sums = {};
    std::size_t begin = 0;
    for (std::size_t at = 0; at < ends.size() && step < steps_max; ++at) {
      const std::size_t end = ends[at];
      if (stop.stop_requested())
        return fail(ErrorCode::resource, model.location(), "stopped", {}, {ReasonCode::stopped, {}});
      HANSA_TRY(const Batch batch, reader.read(std::span(order).subspan(begin, end - begin), seed + step));
      if (at + 1 < ends.size() && step + 1 < steps_max)
        reader.prepare(std::span(order).subspan(end, ends[at + 1] - end), seed + step + 1);
      HANSA_TRY(const LossOfBatch computed, loss_of_batch(model, batch, source));
      const float loss = computed.loss.item<float>();
      if (!std::isfinite(loss)) return loss_is_not_finite(source, loss, step);
      optimiser.step(computed.loss);

      sums.loss += static_cast<double>(loss) * static_cast<double>(end - begin);
      sums.samples += end - begin;
      sums.accuracy.add(computed.output, batch, computed.has_logits);
      begin = end;
      ++step;
    }
    result.samples += sums.samples;
    if (epoch == 0) result.examples = sums.samples;
  }
  result.train_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.metrics = sums.metrics();
  return result;
}

}  // namespace hansa::learning
