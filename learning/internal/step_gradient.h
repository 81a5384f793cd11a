// The gradient of an optimiser step: that of one batch, or the mean over the parts of a batch. Includes LibTorch.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "learning/internal/model.h"

namespace hansa::learning {

class StepGradient {
 public:
  // model outlives the object. Whether correct() may write to the gradients, and whether several parts are added.
  enum class Use : std::uint8_t { read, changed };
  StepGradient(Model& model, Use use) : model_(model), use_(use), of_(model.trainables().size()) {}

  // Computes the gradient of a part's loss, and adds it with this weight; the weights of a step's parts add up to 1. The first
  // call after clear() begins a step.
  void add(const at::Tensor& loss, double weight);
  void clear() { is_empty_ = true; }
  // As if the loss did not depend on this trainable.
  void leave_out(std::size_t trainable) { of_[trainable] = at::Tensor(); }

  // The values for this trainable in the order of its memory; empty: the loss does not depend on it.
  [[nodiscard]] std::optional<std::span<float>> of(std::size_t trainable) const;
  // Limits each value to this magnitude.
  void clip_values(double magnitude_max);
  // Scales the whole gradient down to this Euclidean norm: Pascanu et al. 2013, algorithm 1.
  void clip_norm(double norm_max);

 private:
  Model& model_;
  Use use_;
  std::vector<at::Tensor> of_;
  bool is_empty_ = true;
};

}  // namespace hansa::learning
