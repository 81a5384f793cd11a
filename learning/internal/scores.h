// How an output of forward() is compared with the first target: which loss and which accuracy fit. Includes LibTorch and
// throws its exceptions.
#pragma once
#include <cstdint>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

#include "common/training.h"
#include "learning/internal/model.h"

namespace hansa::learning {

enum class OutputKind : std::uint8_t {
  unfit,
  classes,  // a score for each class: n x classes x the dimensions of the target
  classes_last,  // n x the dimensions of the target x classes
  logit,  // one value for each target, for labels 0 and 1
  numbers,  // one value for each target, which is a number
};
[[nodiscard]] OutputKind kind_of(const at::Tensor& output, const at::Tensor& target);

// The scores with the classes as dimension 1.
[[nodiscard]] at::Tensor class_scores(const at::Tensor& output, OutputKind kind);

// The tensor of a model's output that is compared with the target: the output, or the first of a tuple. Undefined if
// there is none.
[[nodiscard]] at::Tensor main_output(const c10::IValue& output);

// Counts targets that a model predicts, over batches. An accuracy is given only where it is sure what the outputs are:
// scores of classes, or one logit for labels 0 and 1. Outputs of which none is outside [0, 1] may be probabilities, for
// which the threshold is another one, so that they have no accuracy.
class AccuracyCount {
 public:
  // output: undefined if there is none. are_logits: whether single values are surely logits.
  void add(const at::Tensor& output, const Batch& batch, bool are_logits);
  [[nodiscard]] std::optional<Metric> metric() const;

 private:
  void add_classes(const at::Tensor& scores, const at::Tensor& target);
  void add_logits(const at::Tensor& logits, const at::Tensor& target);

  std::uint64_t correct_ = 0;
  std::uint64_t counted_ = 0;
  bool fits_ = true;  // every batch had scores or logits
  bool is_sure_ = false;
};

}  // namespace hansa::learning
