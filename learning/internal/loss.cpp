#include "learning/internal/loss.h"

#include <span>
#include <string>
#include <utility>

#include "learning/internal/scores.h"

namespace hansa::learning {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::string out = "[";
  for (const std::int64_t size : tensor.sizes()) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

tl::unexpected<Error> unfit(const Model& model, std::string what, std::string hint) {
  return fail(ErrorCode::model, model.location(), std::move(what), std::move(hint),
              {ReasonCode::output_unfit, {}});
}

tl::unexpected<Error> unfit_output(const Model& model, const at::Tensor& output, const at::Tensor& target) {
  if (target.scalar_type() == at::kLong)
    return unfit(model,
                 "forward returns " + shape_text(output) + " for labels " + shape_text(target) +
                     ", but class labels need [examples, classes]" +
                     (target.dim() > 1 ? " with the further dimensions of the labels" : ""),
                 "return a score for every class, or give the model a training_loss(x, y)");
  return unfit(model, "forward returns " + shape_text(output) + ", but the targets are " + shape_text(target),
               "return a value for every target, or give the model a training_loss(x, y)");
}

// Checked before the loss is computed, because LibTorch's message is only "Target 10 is out of bounds".
Result<void> check_class_count(const Model& model, std::int64_t outputs, const DataSource& source) {
  const std::int64_t classes = source.shape().targets[0].class_count;
  if (classes <= outputs) return {};
  return unfit(model,
               "has " + std::to_string(outputs) + (outputs == 1 ? " output" : " outputs") +
                   ", but the labels of " + source.location() + " go up to " + std::to_string(classes - 1),
               "use a model with an output for every label");
}

Result<at::Tensor> loss_of_labels(const Model& model, const at::Tensor& output, const at::Tensor& target,
                                  OutputKind kind, const DataSource& source) {
  if (kind == OutputKind::logit) {
    // One output is enough for two classes.
    if (source.shape().targets[0].class_count > 2) HANSA_TRY_VOID(check_class_count(model, 1, source));
    const at::Tensor logits = output.reshape(target.sizes());
    const at::Tensor counted = target.ne(ignored_label).to(logits.scalar_type());
    const at::Tensor labels = target.to(logits.scalar_type()) * counted;
    return at::binary_cross_entropy_with_logits(logits, labels, counted, {}, at::Reduction::Sum) /
           counted.sum().clamp_min(1);
  }
  const at::Tensor scores = class_scores(output, kind);
  HANSA_TRY_VOID(check_class_count(model, scores.size(1), source));
  // The mean over no label is no number.
  if (target.dim() > 1 && target.eq(ignored_label).all().item<bool>()) return scores.sum() * 0;
  return at::cross_entropy_loss(scores, target);
}

// Sequences of labels that are shorter than the outputs: targets `y` [labels] and `y_length`, which says how many count.
bool are_sequences(const ExampleShape& shape) {
  if (shape.targets.size() != 2) return false;
  const TensorSpec& labels = shape.targets[0];
  const TensorSpec& length = shape.targets[1];
  return labels.type == ElementType::int64 && labels.shape.size() == 1 && length.type == ElementType::int64 &&
         length.shape.empty() && length.name == labels.name + "_length";
}

// Connectionist temporal classification: Graves et al., ICML 2006, with class 0 as the blank, as in PyTorch.
Result<at::Tensor> loss_of_sequences(const Model& model, const Batch& batch, const at::Tensor& output,
                                     const DataSource& source) {
  const at::Tensor& labels = batch.targets[0];
  const at::Tensor& lengths = batch.targets[1];
  if (output.dim() != 3 || output.size(0) != labels.size(0))
    return unfit(model,
                 "forward returns " + shape_text(output) + " for sequences of labels " + shape_text(labels) +
                     ", but CTC needs [examples, places, classes]",
                 "return a score for every class at every place, or give the model a training_loss");
  HANSA_TRY_VOID(check_class_count(model, output.size(2), source));
  const std::int64_t longest = lengths.max().item<std::int64_t>();
  if (lengths.min().item<std::int64_t>() < 0 || longest > labels.size(1) || longest > output.size(1))
    return unfit(
        model,
        "has " + std::to_string(output.size(1)) + " places for up to " + std::to_string(longest) +
            " labels, of which the data has room for " + std::to_string(labels.size(1)),
        "return at least as many places as there are labels, and correct " + source.shape().targets[1].name);
  const at::Tensor counts = at::arange(labels.size(1)).unsqueeze(0).lt(lengths.unsqueeze(1));
  if (labels.lt(1).logical_and(counts).any().item<bool>())
    return unfit(model, "the labels of " + source.location() + " have a 0 or a label below it",
                 "class 0 is the blank of CTC: number the labels from 1");
  const at::Tensor places = at::full({output.size(0)}, output.size(1), at::kLong);
  return at::ctc_loss(output.log_softmax(2).transpose(0, 1), labels, places, lengths);
}

// Of a model without a training_loss of its own.
Result<LossOfBatch> default_loss(const Model& model, const Batch& batch, const at::Tensor& output,
                                 const DataSource& source) {
  if (!output.is_floating_point())
    return unfit(model, std::string("forward returns integers (") + at::toString(output.scalar_type()) + ")",
                 "return the scores, not the predicted class");
  if (are_sequences(*batch.shape)) {
    LossOfBatch result{{}, output, false};
    HANSA_TRY(result.loss, loss_of_sequences(model, batch, output, source));
    return result;
  }
  if (batch.targets.size() != 1)
    return unfit(model,
                 batch.targets.empty() ? std::string("has no training_loss, and the data has no target")
                                       : "has no training_loss for the targets " +
                                             text_of(std::span<const TensorSpec>(batch.shape->targets)),
                 "give the model a training_loss of the data's tensors");
  const at::Tensor& target = batch.targets[0];
  const OutputKind kind = kind_of(output, target);
  if (kind == OutputKind::unfit) return unfit_output(model, output, target);
  LossOfBatch result{{}, output, kind == OutputKind::logit};
  if (kind == OutputKind::numbers) {
    // view_as() gives scalars of shape n and of shape n x 1 the same shape, so that they do not broadcast to n x n.
    result.loss = at::mse_loss(output, target.view_as(output));
  } else {
    HANSA_TRY(result.loss, loss_of_labels(model, output, target, kind, source));
  }
  return result;
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
    HANSA_TRY(result.loss, tensor_of(model, model.training_loss(batch), "training_loss"));
  } else {
    HANSA_TRY(at::Tensor output, tensor_of(model, model.forward(batch), "forward"));
    // Of mixed precision: the loss is computed in float32.
    if (output.scalar_type() == at::kBFloat16) output = output.to(at::kFloat);
    HANSA_TRY(result, default_loss(model, batch, output, source));
  }
  HANSA_TRY_VOID(check_loss(model, result.loss));
  return result;
}

}  // namespace hansa::learning
