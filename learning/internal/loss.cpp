#include "learning/internal/loss.h"

#include <algorithm>

namespace hansa::learning {
namespace {

// Checked before the loss is computed, because LibTorch's message is only "Target 10 is out of bounds".
Result<void> check_class_count(const Model& model, const at::Tensor& output, const DataSource& source) {
  if (!output.defined() || output.dim() < 2 || source.shape().target_kind != TargetKind::class_index)
    return {};
  if (source.shape().class_count <= output.size(1)) return {};
  return fail(ErrorCode::model, model.location(),
              "has " + std::to_string(output.size(1)) + " outputs, but the labels of " + source.location() +
                  " go up to " + std::to_string(source.shape().class_count - 1),
              "use a model with an output for every label", {ReasonCode::output_unfit, {}});
}

std::string shape_text(const at::Tensor& tensor) {
  std::string out = "[";
  for (const std::int64_t size : tensor.sizes()) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

// Checks the shape of the output. Class scores: n x classes, or n x classes x positions, as cross-entropy takes them;
// real targets: one value for each target.
Result<void> check_output(const Model& model, const Batch& batch, const at::Tensor& output) {
  if (!output.is_floating_point())
    return fail(ErrorCode::model, model.location(),
                std::string("forward returns integers (") + at::toString(output.scalar_type()) + ")",
                "return the scores, not the predicted class", {ReasonCode::output_unfit, {}});
  if (batch.targets.scalar_type() == at::kLong) {
    if (output.dim() >= 2 && output.size(0) == batch.targets.size(0)) return {};
    return fail(ErrorCode::model, model.location(),
                "forward returns " + shape_text(output) + " for " + std::to_string(batch.targets.size(0)) +
                    " examples, but class labels need [examples, classes]",
                "return a score for every class, or give the model a training_loss(x, y)",
                {ReasonCode::output_unfit, {}});
  }
  // A transposed output has as many values, but those of other examples.
  const bool has_row_for_each = output.dim() > 0 && output.size(0) == batch.targets.size(0);
  if (has_row_for_each && output.numel() == batch.targets.numel()) return {};
  return fail(ErrorCode::model, model.location(),
              "forward returns " + shape_text(output) + ", but the targets are " + shape_text(batch.targets),
              "return a value for every target, or give the model a training_loss(x, y)",
              {ReasonCode::output_unfit, {}});
}

Result<at::Tensor> tensor_of(const Model& model, const c10::IValue& value, const char* method) {
  if (value.isTensor()) return value.toTensor();
  return fail(ErrorCode::model, model.location(),
              std::string(method) + " returns " + value.tagKind() + ", not a tensor",
              "return only the tensor; a training_loss(x, y) may use the other values",
              {ReasonCode::output_unfit, {}});
}

Result<void> check_loss(const Model& model, const at::Tensor& loss) {
  if (loss.numel() != 1)
    return fail(ErrorCode::model, model.location(),
                "training_loss returns " + shape_text(loss) + ", not one number",
                "return the mean over the batch", {ReasonCode::output_unfit, {}});
  if (at::GradMode::is_enabled() && !loss.requires_grad())
    return fail(
        ErrorCode::model, model.location(),
        "the loss cannot be differentiated: it depends on no parameter through operations that have a "
        "gradient",
        "look for argmax, round, detach, no_grad or a conversion to integers between parameters and loss",
        {ReasonCode::output_unfit, {}});
  return {};
}

}  // namespace

Result<LossOfBatch> loss_of_batch(Model& model, const Batch& batch, const DataSource& source) {
  LossOfBatch result;
  if (model.traits().has_training_loss) {
    HANSA_TRY(result.loss,
              tensor_of(model, model.training_loss(batch.inputs, batch.targets), "training_loss"));
  } else {
    HANSA_TRY(result.output, tensor_of(model, model.forward(batch.inputs), "forward"));
    HANSA_TRY_VOID(check_output(model, batch, result.output));
    if (batch.targets.scalar_type() == at::kLong) {
      HANSA_TRY_VOID(check_class_count(model, result.output, source));
      result.loss = at::cross_entropy_loss(result.output, batch.targets);
    } else {
      // view_as() gives scalars of shape n and of shape n x 1 the same shape, so that they do not broadcast to n x n.
      result.loss = at::mse_loss(result.output, batch.targets.view_as(result.output));
    }
  }
  HANSA_TRY_VOID(check_loss(model, result.loss));
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
