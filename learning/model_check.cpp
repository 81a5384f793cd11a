#include "learning/model_check.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "common/column_statistics.h"
#include "learning/data/column_sums.h"
#include "learning/data/scaled_source.h"
#include "learning/data_supply.h"
#include "learning/evaluation.h"
#include "learning/internal/broadcast_check.h"
#include "learning/model_archive.h"

namespace hansa::learning {
namespace {

// Weights of zero in a row, each of which hides the ones behind it for a step.
constexpr int further_steps_max = 3;
// Enough examples to show that evaluation works.
constexpr std::uint64_t evaluated_examples_max = 256;

std::vector<std::string> unmoved_of(const ParameterLayout& layout, std::span<const float> delta) {
  std::vector<std::string> out;
  for (const ParameterEntry& entry : layout.entries()) {
    const auto values = delta.subspan(entry.offset, entry.count);
    const bool moved = std::ranges::any_of(values, [](float value) { return value != 0; });
    if (entry.kind == ParameterKind::trainable && !moved) out.push_back(entry.name);
  }
  return out;
}

// Trains from `values`. The request has the federation's statistics, if there are any, and not the model.
Result<TrainingResult> train_on(Trainer& trainer, TrainingRequest request, const std::vector<float>& values,
                                std::vector<float>& delta) {
  request.inputs.insert(request.inputs.begin(), {std::string(model_input), values});
  const OutputVector outputs[] = {{std::string(delta_output), delta}};
  return trainer.train(request, outputs, {});
}

// Trains `request` from the values that another step has changed. Returns the names in `unmoved` that this step does not
// change either, and adds its changes to `values`.
Result<std::vector<std::string>> still_unmoved(Trainer& trainer, const TrainingRequest& request,
                                               const ParameterLayout& layout, std::vector<float>& values,
                                               std::span<const std::string> unmoved) {
  std::vector<float> delta(values.size());
  HANSA_TRY_VOID(train_on(trainer, request, values, delta));
  std::ranges::transform(values, delta, values.begin(), std::plus<>());
  std::vector<std::string> out = unmoved_of(layout, delta);
  std::erase_if(out,
                [&](const std::string& name) { return std::ranges::find(unmoved, name) == unmoved.end(); });
  return out;
}

// Numbers that look like labels, which the squared error is seldom meant for. Empty: they do not.
Result<std::string> looks_like_labels(const DataSource& source) {
  if (source.shape().targets.size() != 1 || source.shape().targets[0].type != ElementType::float32)
    return std::string();
  std::vector<std::uint32_t> all(source.example_count());
  std::iota(all.begin(), all.end(), 0U);
  HANSA_TRY(const auto values, read_tensor<float>(source, source.shape().inputs.size(), all));
  const bool are_labels = std::ranges::all_of(values, [](float value) { return value == 0 || value == 1; });
  return are_labels
             ? "the targets are the numbers 0 and 1, which are trained with the squared error; if they are "
               "labels, give "
               "them as integers or booleans (of csv: target = \"class\"): then the loss is a cross-entropy"
             : std::string();
}

// The federation's statistics are not known here. Those of this client's data have the same form. Empty if the data is not
// scaled by statistics.
Result<std::vector<float>> own_statistics(const DataSource& source, Scaling scale) {
  if (scale != Scaling::federation) return std::vector<float>();
  HANSA_TRY(const ColumnSums sums, sum_columns(source));
  std::vector<float> digits(sums.columns() * statistics_digits);
  sums.write(digits);
  HANSA_TRY(const ColumnStatistics statistics, statistics_of_digits(digits, 1));
  return vector_of(statistics);
}

struct Stepped {
  ModelCheck check;
  std::vector<float> values;  // of the model, after the step
};
Result<Stepped> train_steps(const ArchiveFile& archive, const ModelDescription& model, Trainer& trainer,
                            const std::vector<float>& statistics, std::uint32_t batch_size) {
  Stepped out;
  out.check.values = model.layout.element_count();
  TrainingRequest request;
  request.archive = archive;
  request.layout = model.layout.digest();
  TrainingConfig one_step;
  one_step.batch_size = batch_size;
  one_step.learning_rate = 0.01;
  one_step.steps_max = 1;
  request.method = sgd_method(one_step);
  std::vector<float> delta(model.parameters.size());
  if (!statistics.empty()) request.inputs.push_back({std::string(statistics_input), statistics});
  HANSA_TRY(const TrainingResult trained, train_on(trainer, request, model.parameters, delta));
  out.check.trained = trained.metrics;
  out.check.unmoved = unmoved_of(model.layout, delta);
  if (out.check.unmoved.size() ==
      static_cast<std::size_t>(
          std::ranges::count(model.layout.entries(), ParameterKind::trainable, &ParameterEntry::kind)))
    return fail(ErrorCode::model, archive.location(), "a training step changed no parameter",
                "look for weights of zero behind a ReLU, or a loss that does not depend on the parameters");
  out.values = model.parameters;
  std::ranges::transform(out.values, delta, out.values.begin(), std::plus<>());
  std::vector<float> further = out.values;
  for (int step = 0; step < further_steps_max && !out.check.unmoved.empty(); ++step) {
    HANSA_TRY(out.check.unmoved, still_unmoved(trainer, request, model.layout, further, out.check.unmoved));
  }
  return out;
}

}  // namespace

Result<ModelCheck> check_steps(const ArchiveFile& archive, Trainer& trainer, const DataSource& source,
                               const StepPlan& plan) {
  HANSA_TRY(const ModelDescription model, describe_archive(archive));
  HANSA_TRY(const std::vector<float> statistics, own_statistics(source, plan.scale));
  HANSA_TRY(Stepped stepped, train_steps(archive, model, trainer, statistics, plan.batch_size));
  stepped.check.examples = source.example_count();
  if (!model.fixed_mode.empty()) stepped.check.warnings.push_back(model.fixed_mode);
  return std::move(stepped.check);
}

Result<ModelCheck> check_model(const std::filesystem::path& archive, const LocalTrainerConfig& client,
                               std::uint32_t batch_size) {
  HANSA_TRY(const ModelDescription model, describe_archive(archive));
  const std::unique_ptr<Trainer> trainer = make_local_trainer(client);
  HANSA_TRY(const AvailableData available, trainer->available_data({}));
  std::vector<float> statistics;
  if (client.data.scale == Scaling::federation) {
    HANSA_TRY(const auto source, open_examples(client.data));
    HANSA_TRY(statistics, own_statistics(*source, client.data.scale));
  }
  HANSA_TRY(Stepped stepped, train_steps(archive, model, *trainer, statistics, batch_size));
  ModelCheck& out = stepped.check;
  out.examples = available.examples;

  DataConfig data = client.data;
  data.examples_max =
      data.examples_max == 0 ? evaluated_examples_max : std::min(data.examples_max, evaluated_examples_max);
  HANSA_TRY(auto unscaled, open_examples(data));
  HANSA_TRY(const auto some, scaled(std::move(unscaled), data.scale, statistics));
  HANSA_TRY(std::string broadcast, find_broadcast(archive, *some));
  if (!broadcast.empty()) out.warnings.push_back(std::move(broadcast));
  if (!model.has_training_loss) {
    HANSA_TRY(std::string labels, looks_like_labels(*some));
    if (!labels.empty()) out.warnings.push_back(std::move(labels));
  }
  if (!model.fixed_mode.empty()) out.warnings.push_back(model.fixed_mode);
  HANSA_TRY(const auto evaluator, make_evaluator(archive, data, client.threads, {}, statistics));
  HANSA_TRY(out.evaluated, evaluator->evaluate(stepped.values));
  if (std::string unfit = evaluator->warning(); !unfit.empty()) out.warnings.push_back(std::move(unfit));
  return std::move(out);
}

}  // namespace hansa::learning
