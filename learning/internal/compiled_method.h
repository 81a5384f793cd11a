// One method of an archive, ready to run: inlined, with constants folded and slow pairs of operations fused. The
// archive itself does not change. Includes LibTorch.
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
  // `inputs` exclude self. One thread at a time.
  [[nodiscard]] c10::IValue run(std::initializer_list<at::Tensor> inputs);
  // The graph, for inspection only.
  [[nodiscard]] const torch::jit::Graph& graph() const { return *graph_; }

 private:
  c10::IValue self_;
  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::GraphExecutor executor_;
};

}  // namespace hansa::learning
