#include "learning/internal/graph_modes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <torch/csrc/jit/ir/constants.h>

#include "learning/internal/graph_nodes.h"

namespace hansa::learning {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
using Visit = std::function<void(const Node&)>;

std::optional<bool> constant_of(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isBool() ? std::optional(constant->toBool()) : std::nullopt;
}

// The argument that switches a node between training and evaluation. Null: it has none.
const Value* mode_of(const Node& node) {
  const c10::FunctionSchema* schema = node.maybeSchema();
  for (std::size_t i = 0; schema != nullptr && i < node.inputs().size() && i < schema->arguments().size();
       ++i) {
    const std::string& name = schema->arguments()[i].name();
    if (name == "train" || name == "training") return node.input(i);
  }
  return nullptr;
}

bool is_batch_norm(const Node& node) {
  return std::string_view(node.kind().toQualString()) == "aten::batch_norm";
}

// "encoder.bn1", whose running_mean the node takes.
std::string layer_of_statistics(const Node& node, const Graph& graph) {
  constexpr std::size_t running_mean = 3;
  if (node.inputs().size() > running_mean) {
    const std::string path = attribute_path(node.input(running_mean), graph);
    if (const std::size_t dot = path.rfind('.'); dot != std::string::npos) return path.substr(0, dot);
  }
  return layer_path(node);
}

}  // namespace

bool assigns_modes(const Graph& graph) {
  bool out = false;
  for_each_node(*graph.block(), [&](const Node& node) {
    out = out || is_call(node) ||
          (node.kind() == torch::jit::prim::SetAttr && node.s(torch::jit::attr::name) == "training");
  });
  return out;
}

std::optional<bool> KnownModes::value_of(const Value* value, const Graph& graph) const {
  if (const auto constant = constant_of(value)) return constant;
  const Node& node = *value->node();
  if (node.kind() == torch::jit::prim::GetAttr && node.s(torch::jit::attr::name) == "training")
    return evaluated_.contains(attribute_path(node.input(0), graph)) ? std::optional(false) : std::nullopt;
  if (node.kind() == torch::jit::aten::__not__) {
    const auto inner = value_of(node.input(0), graph);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  // `True if self.training else False`, as in the layers of PyTorch.
  if (node.kind() != torch::jit::prim::If) return std::nullopt;
  const auto of_branch = [&](std::size_t branch) {
    return value_of(node.blocks()[branch]->outputs()[value->offset()], graph);
  };
  if (const auto condition = value_of(node.input(0), graph)) return of_branch(*condition ? 0 : 1);
  const auto one = of_branch(0), other = of_branch(1);
  return one == other ? one : std::nullopt;
}

void KnownModes::visit_block(const Block& block, const Graph& graph, const Visit& visit) const {
  for (const Node* node : block.nodes()) {
    visit(*node);
    const auto condition =
        node->kind() == torch::jit::prim::If ? value_of(node->input(0), graph) : std::nullopt;
    if (condition) visit_block(*node->blocks()[*condition ? 0 : 1], graph, visit);
    else
      for (const Block* inner : node->blocks()) visit_block(*inner, graph, visit);
  }
}

void KnownModes::for_each_node_that_may_run(const Graph& graph, const Visit& visit) const {
  visit_block(*graph.block(), graph, visit);
}

// Instance normalisation is not among them: in evaluation mode it writes the mean of copies of its statistics back.
bool KnownModes::keeps_statistics(const Node& node, const Graph& graph) const {
  const Value* mode = is_batch_norm(node) ? mode_of(node) : nullptr;
  return mode != nullptr && value_of(mode, graph) == std::optional(false);
}

std::vector<FixedMode> fixed_modes(const Graph& graph) {
  constexpr std::size_t modes_max = 1'024;
  std::vector<FixedMode> out;
  const auto add = [&out](FixedMode mode) {
    if (out.size() < modes_max && std::ranges::find(out, mode) == out.end()) out.push_back(std::move(mode));
  };
  for_each_node(*graph.block(), [&](const Node& node) {
    const Value* mode = mode_of(node);
    const auto training = mode != nullptr ? constant_of(mode) : std::nullopt;
    if (!training) return;
    using Effect = FixedMode::Effect;
    if (is_batch_norm(node))
      add({*training ? Effect::uses_batch_statistics : Effect::uses_stored_statistics,
           layer_of_statistics(node, graph)});
    // A recurrent layer without dropout has no mode that matters.
    const bool is_dropout =
        std::string_view(node.kind().toQualString()).find("dropout") != std::string_view::npos;
    if (is_dropout || draws(node))
      add({*training ? Effect::drops_always : Effect::drops_never, layer_path(node)});
  });
  return out;
}

}  // namespace hansa::learning
