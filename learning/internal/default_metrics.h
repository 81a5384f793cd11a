// Loss and accuracy of a model over batches: what is measured where the model has no metrics() of its own. Includes
// LibTorch and throws its exceptions.
#pragma once
#include <cstdint>
#include <span>

#include "common/training.h"
#include "learning/internal/batch.h"
#include "learning/internal/model.h"

namespace hansa::learning {

class DefaultMetrics {
 public:
  // The model is in evaluation mode, and gradients are off. labels: of the batch; empty for real targets.
  [[nodiscard]] Result<void> add(Model& model, const Batch& batch, std::span<const std::int64_t> labels,
                                 const DataSource& source);
  // "loss", and "accuracy" if every batch had class scores.
  [[nodiscard]] Metrics sums() const;

 private:
  double loss_ = 0;
  std::uint64_t correct_ = 0;
  std::uint64_t examples_ = 0;
  bool scored_ = true;
};

}  // namespace hansa::learning
