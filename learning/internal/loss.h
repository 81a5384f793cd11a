// The loss of a batch: the archive's training_loss, or else one that fits output and target: cross-entropy for scores of
// classes (labels of any dimensions; those that are ignored_label do not count), binary cross-entropy for one logit and
// the labels 0 and 1, mean squared error for numbers, and CTC for sequences of labels with a length. Includes LibTorch and throws its exceptions.
#pragma once
#include <ATen/ATen.h>

#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

struct LossOfBatch {
  at::Tensor loss;  // a scalar: the mean over the batch
  at::Tensor output;  // result of forward; undefined if training_loss was called instead
  bool has_logits = false;  // the output holds one logit for each label
};

// Fails (model), in terms of the model's source code, if forward or training_loss returns an unusable value, if the
// model has no score for a label of the source, or if no parameter would receive a gradient.
[[nodiscard]] Result<LossOfBatch> loss_of_batch(Model& model, const Batch& batch, const DataSource& source);

}  // namespace hansa::learning
