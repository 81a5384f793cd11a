#include "learning/internal/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>

#include <ATen/CPUGeneratorImpl.h>

#include "common/random.h"
#include "learning/internal/autocast.h"
#include "learning/internal/batch.h"
#include "learning/internal/batch_ends.h"
#include "learning/internal/local_optimizer.h"
#include "learning/internal/loss.h"
#include "learning/internal/scores.h"
#include "learning/internal/step_gradient.h"

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

// Changes the model's own memory.
class Steps {
 public:
  Steps(Model& model, const TrainingRun& run)
      : model_(model), run_(run), gradient_(model, use_of(run)), optimizer_(make(model, run)) {}

  // A part of the next step's batch; the weights of its parts add up to 1.
  void add(const at::Tensor& loss, double weight) { gradient_.add(loss, weight); }
  void step() {
    const auto trainables = model_.trainables();
    for (std::size_t i = 0; i < run_.frozen.size(); ++i)
      if (run_.frozen[i]) gradient_.leave_out(i);
    if (run_.hook != nullptr)
      for (std::size_t i = 0; i < trainables.size(); ++i)
        if (const auto gradient = gradient_.of(i)) run_.hook->correct(i, trainables[i].memory, *gradient);
    if (run_.config.clip_value > 0) gradient_.clip_values(run_.config.clip_value);
    if (run_.config.clip_norm > 0) gradient_.clip_norm(run_.config.clip_norm);
    optimizer_->begin_step();
    for (std::size_t i = 0; i < trainables.size(); ++i) {
      const auto gradient = gradient_.of(i);
      if (!gradient) continue;
      optimizer_->apply(i, trainables[i].memory, *gradient);
      if (run_.hook != nullptr) run_.hook->after_step(i, trainables[i].memory);
    }
    gradient_.clear();
    ++steps_;
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  static StepGradient::Use use_of(const TrainingRun& run) {
    const bool changes = run.hook != nullptr || run.config.clip_norm > 0 || run.config.clip_value > 0;
    return changes ? StepGradient::Use::changed : StepGradient::Use::read;
  }
  static std::unique_ptr<LocalOptimizerState> make(const Model& model, const TrainingRun& run) {
    std::vector<std::size_t> sizes;
    for (const Model::Trainable& trainable : model.trainables()) sizes.push_back(trainable.memory.size());
    return make_local_optimizer(run.config, sizes);
  }

  Model& model_;
  const TrainingRun& run_;
  StepGradient gradient_;
  std::unique_ptr<LocalOptimizerState> optimizer_;
  std::uint64_t steps_ = 0;
};

// The examples from `first` on.
Batch part_of(const Batch& batch, std::size_t first, std::size_t examples) {
  Batch out{batch.shape, examples, {}, {}};
  const auto narrowed = [&](const at::Tensor& tensor) {
    return tensor.narrow(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(examples));
  };
  for (const at::Tensor& tensor : batch.inputs) out.inputs.push_back(narrowed(tensor));
  for (const at::Tensor& tensor : batch.targets) out.targets.push_back(narrowed(tensor));
  return out;
}

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

Result<Trained> run_training(Model& model, const DataSource& source, const TrainingRun& run) {
  const TrainingConfig& config = run.config;
  const auto count = static_cast<std::size_t>(source.example_count());
  const std::size_t part_min = model.traits().normalises_batches ? 2 : 1;
  const std::vector<std::size_t> ends = batch_ends({count, config.batch_size, part_min});
  BatchReader reader(source, largest_batch(ends), model.memory_order());
  Steps steps(model, run);
  Random random(run.seed);
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);

  const std::optional<RandomNumbersTurn> turn = take_turn(model, run.seed);
  model.set_training(true);

  Trained out;
  EpochSums sums;
  const std::uint64_t steps_max = config.steps_max == 0 ? UINT64_MAX : config.steps_max;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t epoch = 0; epoch < config.epochs && steps.steps() < steps_max; ++epoch) {
    random.shuffle(std::span(order));
    sums = {};
    std::size_t begin = 0;
    for (std::size_t at = 0; at < ends.size() && steps.steps() < steps_max; ++at) {
      const std::size_t end = ends[at];
      const std::uint64_t step = steps.steps();
      HANSA_TRY(const Batch batch,
                reader.read(std::span(order).subspan(begin, end - begin), run.seed + step));
      if (at + 1 < ends.size() && step + 1 < steps_max)
        reader.prepare(std::span(order).subspan(end, ends[at + 1] - end), run.seed + step + 1);
      const std::size_t parts = std::clamp<std::size_t>(batch.examples / part_min, 1, config.accumulate);
      for (std::size_t part = 0, first = 0; part < parts; ++part) {
        if (run.stop.stop_requested())
          return fail(ErrorCode::resource, model.location(), "stopped", {}, {ReasonCode::stopped, {}});
        const std::size_t last = batch.examples * (part + 1) / parts;
        const Batch& whole_or_part = parts == 1 ? batch : part_of(batch, first, last - first);
        const std::size_t examples = last - first;
        {
          const Autocast autocast(config.bfloat16);
          HANSA_TRY(const LossOfBatch computed, loss_of_batch(model, whole_or_part, source));
          const float loss = computed.loss.item<float>();
          if (!std::isfinite(loss)) return loss_is_not_finite(source, loss, step);
          at::Tensor whole_loss = computed.loss;
          if (run.hook != nullptr) {
            const auto places = std::span<const std::uint32_t>(order).subspan(begin + first, examples);
            HANSA_TRY(const at::Tensor further,
                      run.hook->further_loss(model, {whole_or_part, computed, places}));
            if (further.defined()) {
              whole_loss = whole_loss + further;
              const float sum = whole_loss.item<float>();
              if (!std::isfinite(sum)) return loss_is_not_finite(source, sum, step);
            }
          }
          steps.add(whole_loss, static_cast<double>(examples) / static_cast<double>(batch.examples));
          sums.loss += static_cast<double>(loss) * static_cast<double>(examples);
          sums.accuracy.add(computed.output, whole_or_part, computed.has_logits);
        }
        sums.samples += examples;
        first = last;
      }
      steps.step();
      begin = end;
    }
    out.result.samples += sums.samples;
    if (epoch == 0) out.result.examples = sums.samples;
  }
  out.result.train_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out.result.metrics = sums.metrics();
  out.steps = steps.steps();
  return out;
}

}  // namespace hansa::learning
