// The loss of a batch: the archive's training_loss, or else cross-entropy for class labels and mean squared error for
// real targets. Includes LibTorch and throws its exceptions.
#pragma once
#include <cstdint>
#include <span>

#include "learning/internal/batch.h"
#include "learning/internal/model.h"

namespace hansa::learning {

struct LossOfBatch {
  at::Tensor loss;  // a scalar: the mean over the batch
  at::Tensor output;  // result of forward; undefined if training_loss was called instead
};

// Fails (model), in terms of the model's source code, if forward or training_loss returns an unusable value, if the
// model has no score for a label of the source, or if no parameter would receive a gradient.
[[nodiscard]] Result<LossOfBatch> loss_of_batch(Model& model, const Batch& batch, const DataSource& source);

// Whether output holds float32 scores of shape n x classes, so that accuracy is defined.
[[nodiscard]] bool has_class_scores(const at::Tensor& output, std::span<const std::int64_t> labels);
// Number of rows in which the first of the largest scores is the label's.
[[nodiscard]] std::uint64_t count_correct(const at::Tensor& output, std::span<const std::int64_t> labels);

}  // namespace hansa::learning
