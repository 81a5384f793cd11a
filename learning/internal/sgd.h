// One step of stochastic gradient descent on flat spans, in a single pass. Torch-free.
#pragma once
#include <span>

namespace hansa::learning {

struct SgdConstants {
  float learning_rate = 0;
  float momentum = 0;
  float weight_decay = 0;
};

// g = gradient + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * v. The three spans have equal size;
// velocity may be empty if momentum is 0. This is momentum of Sutskever et al. 2013 in torch.optim.SGD's form (no
// dampening, no Nesterov).
void sgd_step(std::span<float> weights, std::span<const float> gradient, std::span<float> velocity,
              const SgdConstants& constants);

}  // namespace hansa::learning
