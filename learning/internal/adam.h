// One step of Adam on flat spans, in a single pass. Torch-free.
#pragma once
#include <cstdint>
#include <span>

namespace hansa::learning {

struct AdamConstants {
  double learning_rate = 0;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  // the weights decay apart from the gradient: AdamW
};

// Kingma and Ba 2015, algorithm 1, with L2 regularisation in the gradient; decoupled: Loshchilov and Hutter 2019, algorithm
// 2, where the learning rate scales the decay. step: 1 for the first one. The spans have equal size; first and second hold
// the moments, zero before the first step. Like torch.optim.Adam and AdamW.
void adam_step(std::span<float> weights, std::span<const float> gradient, std::span<float> first,
               std::span<float> second, std::uint64_t step, const AdamConstants& constants);

}  // namespace hansa::learning
