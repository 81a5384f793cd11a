// Loss and accuracy of a model over batches: what is measured where the model has no metrics() of its own. Includes
// LibTorch and throws its exceptions.
#pragma once
#include <cstdint>

#include "common/training.h"
#include "learning/data/data_source.h"
#include "learning/internal/model.h"
#include "learning/internal/scores.h"

namespace hansa::learning {

class DefaultMetrics {
 public:
  // The model is in evaluation mode, and gradients are off.
  [[nodiscard]] Result<void> add(Model& model, const Batch& batch, const DataSource& source);
  // "loss"; "accuracy" if every batch had scores of classes or logits; "mae" and "mse" if the target is numbers and every
  // batch had a value for each. Only "loss" of a model whose training_loss() takes no target.
  [[nodiscard]] Metrics sums() const;

 private:
  double loss_ = 0;
  std::uint64_t examples_ = 0;
  AccuracyCount accuracy_;
  double absolute_ = 0, squared_ = 0;  // errors
  std::uint64_t numbers_ = 0;
  bool has_numbers_ = true;
};

}  // namespace hansa::learning
