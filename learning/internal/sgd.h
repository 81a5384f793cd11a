// One step of stochastic gradient descent on flat spans, in a single pass. Torch-free.
#pragma once
#include <span>

namespace hansa::learning {

struct SgdConstants {
  float learning_rate = 0;
  float momentum = 0;
  float weight_decay = 0;
  bool nesterov = false;
};

// g = gradient + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * d, where d is v, or g + momentum * v with
// Nesterov's momentum. The spans have equal size, but velocity may be empty if momentum is 0. The momentum is that of
// Sutskever et al. 2013, in the form of torch.optim.SGD (no dampening).
void sgd_step(std::span<float> weights, std::span<const float> gradient, std::span<float> velocity,
              const SgdConstants& constants);

}  // namespace hansa::learning
