// One method of an archive, ready to run: inlined, with constants folded and slow pairs of operations fused. The
// archive itself does not change. Includes LibTorch.
#pragma once
#include <memory>
#include <string>

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include "learning/internal/arguments.h"
#include "learning/internal/model.h"

namespace hansa::learning {

class CompiledMethod {
 public:
  CompiledMethod(const torch::jit::Module& module, Method method);
  // Chooses what the arguments get. Fails as Arguments::bind() does. Called before run().
  [[nodiscard]] Result<void> bind(const ExampleShape& shape, const std::string& location);
  // Whether it gets a target. Called after bind().
  [[nodiscard]] bool takes_targets() const { return arguments_.take_targets(); }
  // One thread at a time.
  [[nodiscard]] c10::IValue run(const Batch& batch);
  // The graph, for inspection only.
  [[nodiscard]] const torch::jit::Graph& graph() const { return *graph_; }

 private:
  c10::IValue self_;
  Method method_;
  c10::FunctionSchema schema_;
  Arguments arguments_;
  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::GraphExecutor executor_;
};

}  // namespace hansa::learning
