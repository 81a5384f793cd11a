#include "learning/internal/loss.h"

#include <algorithm>

namespace hansa::learning {
namespace {

// Before the loss: LibTorch would only say "Target 10 is out of bounds".
Result<void> check_class_count(const LoadedModel& model, const at::Tensor& output, const DataSource& source) {
  if (!output.defined() || output.dim() < 2 || source.shape().target_kind != TargetKind::class_index)
    return {};
  if (source.shape().class_count <= output.size(1)) return {};
  return fail(ErrorCode::model, model.place(),
              "has " + std::to_string(output.size(1)) + " outputs, but the labels of " + source.place() +
                  " go up to " + std::to_string(source.shape().class_count - 1),
              "use a model with an output for every label");
}

}  // namespace

Result<LossOfBatch> loss_of_batch(LoadedModel& model, const Batch& batch, const DataSource& source) {
  LossOfBatch result;
  if (model.traits().has_training_loss) {
    result.loss = model.training_loss(batch.inputs, batch.targets).toTensor();
    return result;
  }
  result.output = model.forward(batch.inputs).toTensor();
  if (batch.targets.scalar_type() == at::kLong) {
    HANSA_TRY_VOID(check_class_count(model, result.output, source));
    result.loss = at::cross_entropy_loss(result.output, batch.targets);
  } else {
    // view_as: scalars as n and as n x 1 are the same targets, and must not broadcast to n x n.
    result.loss = at::mse_loss(result.output, batch.targets.view_as(result.output));
  }
  return result;
}

bool has_class_scores(const at::Tensor& output, std::span<const std::int64_t> labels) {
  return output.defined() && !labels.empty() && output.dim() == 2 && output.scalar_type() == at::kFloat &&
         output.size(0) == static_cast<std::int64_t>(labels.size()) && output.size(1) > 0;
}

std::uint64_t count_correct(const at::Tensor& output, std::span<const std::int64_t> labels) {
  const at::Tensor scores = output.detach().contiguous();
  const auto classes = static_cast<std::size_t>(scores.size(1));
  const float* row = scores.data_ptr<float>();
  std::uint64_t correct = 0;
  for (const std::int64_t label : labels) {
    correct += std::max_element(row, row + classes) - row == label ? 1 : 0;
    row += classes;
  }
  return correct;
}

}  // namespace hansa::learning
