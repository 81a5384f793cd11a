#include "learning/internal/compiled_method.h"

#include <optional>

#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_iterator.h>

#include "learning/internal/graph_facts.h"
#include "learning/internal/relu_max_pool.h"

namespace hansa::learning {
namespace {

// The operation that copies where this one refuses, if it is view(sizes) or view_as(other).
std::optional<c10::Symbol> copying(const torch::jit::Node& node) {
  namespace aten = torch::jit::aten;
  if (node.inputs().size() != 2) return std::nullopt;
  if (node.kind() == aten::view_as) return aten::reshape_as;
  const bool takes_sizes = node.input(1)->type()->isSubtypeOf(*c10::ListType::ofInts());
  return node.kind() == aten::view && takes_sizes ? std::optional(aten::reshape) : std::nullopt;
}

// Tensors are in channels-last order here, of which view() refuses to join dimensions: reshape() copies them then. Code
// that writes to the view would not reach the tensor any more, so that such a view stays one.
void view_in_any_order(const std::shared_ptr<torch::jit::Graph>& graph) {
  std::vector<torch::jit::Node*> views;
  std::shared_ptr<torch::jit::Graph> all = graph;  // the iterator takes no constant
  torch::jit::DepthFirstGraphNodeIterator nodes(all);
  for (torch::jit::Node* node = nodes.next(); node != nullptr; node = nodes.next())
    if (copying(*node) && !is_written_later(*graph, *node)) views.push_back(node);
  for (torch::jit::Node* view : views) {
    torch::jit::Node* reshape = graph->create(*copying(*view), view->inputs(), 1)->insertBefore(view);
    reshape->setSourceRange(view->sourceRange());
    reshape->output()->setType(view->output()->type());
    view->output()->replaceAllUsesWith(reshape->output());
    view->destroy();
  }
}

std::shared_ptr<torch::jit::Graph> prepare(const torch::jit::Module& module, const std::string& name) {
  // Without this guard, calls below the first level stay calls, and their operations are neither examined nor fused.
  const torch::jit::GraphOptimizerEnabledGuard inline_all_levels(true);
  auto graph = module.get_method(name).graph()->copy();
  torch::jit::Inline(*graph);
  // This pass runs no operations, so nothing random or costly happens here.
  torch::jit::ConstantPropagationImmutableTypes(graph);
  torch::jit::EliminateDeadCode(graph);
  view_in_any_order(graph);
  fuse_relu_max_pool(graph);
  return graph;
}

}  // namespace

CompiledMethod::CompiledMethod(const torch::jit::Module& module, Method method)
    : self_(module._ivalue()),
      method_(method),
      schema_(module.get_method(name_of(method)).function().getSchema()),
      graph_(prepare(module, name_of(method))),
      executor_(graph_, name_of(method)) {}

Result<void> CompiledMethod::bind(const ExampleShape& shape, const std::string& location) {
  HANSA_TRY(arguments_, Arguments::bind(schema_, method_, shape, location));
  return {};
}

c10::IValue CompiledMethod::run(const Batch& batch) {
  torch::jit::Stack stack = arguments_.values(batch.inputs, batch.targets);
  stack.insert(stack.begin(), self_);
  executor_.run(stack);
  return stack.at(0);
}

}  // namespace hansa::learning
