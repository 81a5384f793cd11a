// Adds the gradient of (strength / 2) * |weights - anchor|^2: the proximal term of FedProx, FedDyn and Ditto. Includes LibTorch.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "learning/internal/trainable_vectors.h"
#include "learning/internal/training_loop.h"

namespace hansa::learning {

class ProximalPull final : public GradientHook {
 public:
  // anchor: of the layout. Personal parameters have no anchor, and are not pulled.
  ProximalPull(const Model& model, std::span<const float> anchor, double strength)
      : anchor_(by_trainable(model, anchor)), strength_(static_cast<float>(strength)) {}
  void correct(std::size_t trainable, std::span<const float> weights, std::span<float> gradient) override {
    const std::vector<float>& anchor = anchor_[trainable];
    for (std::size_t i = 0; i < anchor.size(); ++i) gradient[i] += strength_ * (weights[i] - anchor[i]);
  }

 private:
  std::vector<std::vector<float>> anchor_;
  float strength_;
};

}  // namespace hansa::learning
