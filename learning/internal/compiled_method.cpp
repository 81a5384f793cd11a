#include "learning/internal/compiled_method.h"

#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>

#include "learning/internal/relu_max_pool.h"

namespace hansa::learning {
namespace {

std::shared_ptr<torch::jit::Graph> prepare(const torch::jit::Module& module, const std::string& name) {
  // Without this guard, calls below the first level stay calls, and their operations are neither examined nor fused.
  const torch::jit::GraphOptimizerEnabledGuard inline_all_levels(true);
  auto graph = module.get_method(name).graph()->copy();
  torch::jit::Inline(*graph);
  // This pass runs no operations, so nothing random or costly happens here.
  torch::jit::ConstantPropagationImmutableTypes(graph);
  torch::jit::EliminateDeadCode(graph);
  fuse_relu_max_pool(graph);
  return graph;
}

}  // namespace

CompiledMethod::CompiledMethod(const torch::jit::Module& module, const std::string& name)
    : self_(module._ivalue()), graph_(prepare(module, name)), executor_(graph_, name) {}

c10::IValue CompiledMethod::run(std::initializer_list<at::Tensor> inputs) {
  torch::jit::Stack stack;
  stack.reserve(inputs.size() + 1);
  stack.emplace_back(self_);
  for (const at::Tensor& input : inputs) stack.emplace_back(input);
  executor_.run(stack);
  return stack.at(0);
}

}  // namespace hansa::learning
