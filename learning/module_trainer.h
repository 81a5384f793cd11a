// A trainer for a torch::nn::Module of the program that links Hansa. The only public header that includes LibTorch.
//
// The federation's archive gives the names, shapes and initial values of the parameters that are sent. The module's
// parameters and float buffers must have the same names and shapes in the same order ("hansa model inspect" lists
// them). The module's code runs in place of the archive's.
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
  // Returns a scalar, the mean over the batch. If empty: cross-entropy for classes, mean squared error for numbers.
  std::function<torch::Tensor(const torch::Tensor& x, const torch::Tensor& y)> training_loss = {};
  // For examples with several tensors, instead of the two above: they get all inputs, and all targets, in the order of
  // the data.
  std::function<torch::Tensor(const std::vector<torch::Tensor>& inputs)> forward_all = {};
  std::function<torch::Tensor(const std::vector<torch::Tensor>& inputs,
                              const std::vector<torch::Tensor>& targets)>
      training_loss_all = {};
  // Optional, for one input and one target: sums and counts over a batch, by name.
  std::function<Metrics(const torch::Tensor& x, const torch::Tensor& y)> metrics = {};
};

// Wraps a module that has a method forward(x).
template <class Net>
[[nodiscard]] OwnModule own_module(std::shared_ptr<Net> net) {
  return OwnModule{net, [net](const torch::Tensor& x) { return net->forward(x); }};
}

// The trainer owns the module while it trains. `config` has data or supply, as for make_local_trainer().
[[nodiscard]] std::unique_ptr<Trainer> make_module_trainer(OwnModule own, const LocalTrainerConfig& config);

}  // namespace hansa::learning
