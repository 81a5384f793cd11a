// One method of an archive, ready to run: inlined, its constants folded, slow pairs of operations
// fused. The archive itself is not changed. Includes LibTorch.
#pragma once
#include <initializer_list>
#include <memory>
#include <string>

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

namespace hansa::learning {

class CompiledMethod {
 public:
  CompiledMethod(const torch::jit::Module& module, const std::string& name);
  // inputs without self. One thread at a time.
  [[nodiscard]] c10::IValue run(std::initializer_list<at::Tensor> inputs);
  // For reading only.
  [[nodiscard]] const torch::jit::Graph& graph() const { return *graph_; }

 private:
  c10::IValue self_;
  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::GraphExecutor executor_;
};

}  // namespace hansa::learning
