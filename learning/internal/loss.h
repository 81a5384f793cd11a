// The loss of a batch: the archive's training_loss, or cross-entropy for class labels and mean squared
// error for real targets. Includes LibTorch; throws what LibTorch throws.
#pragma once
#include <cstdint>
#include <span>

#include "learning/internal/batch.h"
#include "learning/internal/model.h"

namespace hansa::learning {

struct LossOfBatch {
  at::Tensor loss;  // a scalar: the mean over the batch
  at::Tensor output;  // forward's; undefined if training_loss did the work
};

// Fails (model), in the words of the model's author, if forward or training_loss returns what cannot be
// used, source has labels that the model has no score for, or no gradient would reach a parameter.
[[nodiscard]] Result<LossOfBatch> loss_of_batch(Model& model, const Batch& batch, const DataSource& source);

// Whether output is n x classes with float32 scores, so that a label can be right or wrong.
[[nodiscard]] bool has_class_scores(const at::Tensor& output, std::span<const std::int64_t> labels);
// Rows whose first largest score stands at their label.
[[nodiscard]] std::uint64_t count_correct(const at::Tensor& output, std::span<const std::int64_t> labels);

}  // namespace hansa::learning
