#include "learning/internal/step_gradient.h"

#include <algorithm>
#include <cmath>

#include <torch/csrc/autograd/autograd.h>

namespace hansa::learning {
namespace {

// In the order of the weight's memory.
at::Tensor in_order_of(const at::Tensor& weight, const at::Tensor& gradient) {
  if (gradient.strides() == weight.strides() && gradient.layout() == at::kStrided) return gradient;
  const at::Tensor dense = gradient.layout() == at::kStrided ? gradient : gradient.to_dense();
  const at::Tensor out =
      at::empty_strided(weight.sizes(), weight.strides(), weight.options().requires_grad(false));
  out.copy_(dense);
  return out;
}

}  // namespace

void StepGradient::add(const at::Tensor& loss, double weight) {
  const auto gradients =
      torch::autograd::grad({loss}, model_.leaves(), /*grad_outputs=*/{}, /*retain_graph=*/{},
                            /*create_graph=*/false, /*allow_unused=*/true);
  const auto trainables = model_.trainables();
  for (std::size_t i = 0; i < trainables.size(); ++i) {
    if (is_empty_) of_[i] = at::Tensor();
    if (!gradients[i].defined()) continue;  // forward does not use this parameter
    at::Tensor gradient = in_order_of(trainables[i].tensor, gradients[i]);
    if (of_[i].defined()) {
      of_[i].add_(gradient, weight);
      continue;
    }
    // Two trainables may share one gradient.
    if (use_ == Use::changed || weight != 1) gradient = gradient.clone();
    if (weight != 1) gradient.mul_(weight);
    of_[i] = std::move(gradient);
  }
  is_empty_ = false;
}

std::optional<std::span<float>> StepGradient::of(std::size_t trainable) const {
  const at::Tensor& gradient = of_[trainable];
  if (!gradient.defined()) return std::nullopt;
  return std::span<float>(gradient.data_ptr<float>(), model_.trainables()[trainable].memory.size());
}

void StepGradient::clip_values(double magnitude_max) {
  const auto most = static_cast<float>(magnitude_max);
  for (std::size_t i = 0; i < of_.size(); ++i)
    if (const auto values = of(i))
      for (float& value : *values) value = std::clamp(value, -most, most);
}

void StepGradient::clip_norm(double norm_max) {
  double squares = 0;
  for (std::size_t i = 0; i < of_.size(); ++i)
    if (const auto values = of(i))
      for (const float value : *values) squares += static_cast<double>(value) * value;
  const double norm = std::sqrt(squares);
  if (!(norm > norm_max)) return;
  const auto factor = static_cast<float>(norm_max / norm);
  for (std::size_t i = 0; i < of_.size(); ++i)
    if (const auto values = of(i))
      for (float& value : *values) value *= factor;
}

}  // namespace hansa::learning
