// A trainer for a torch::nn::Module that a program brings itself. Includes LibTorch, as no other public header does.
//
// The federation's archive gives names, shapes and first values of what travels: the module's parameters and
// float buffers must have the same names and shapes in the same order ("hansa model inspect" lists them).
// Its code is the program's own, and runs in place of the archive's.
#pragma once
#include <functional>
#include <memory>
#include <utility>

#include <torch/nn/module.h>

#include "learning/local_trainer.h"

namespace hansa::learning {

struct OwnModule {
  std::shared_ptr<torch::nn::Module> module;
  std::function<torch::Tensor(const torch::Tensor& x)> forward;
  // A scalar, the mean over the batch. Without it: cross-entropy for classes, the mean squared error for numbers.
  std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& y)> training_loss = {};
};

// A module with a method forward(x).
template <class Net>
[[nodiscard]] OwnModule own_module(std::shared_ptr<Net> net) {
  return OwnModule{net, [net](const torch::Tensor& x) { return net->forward(x); }, {}};
}

// The module belongs to the trainer while it trains. config.data or config.supply, as for make_local_trainer().
[[nodiscard]] std::unique_ptr<Trainer> make_module_trainer(OwnModule own, const LocalTrainerConfig& config);

}  // namespace hansa::learning
