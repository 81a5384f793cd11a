#include "learning/internal/graph_nodes.h"

#include <torch/csrc/jit/ir/constants.h>

namespace hansa::learning {
namespace {

using torch::jit::Node;
using torch::jit::Value;

// A probability of dropout that is the constant 0 draws nothing.
bool is_zero(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isDouble() && constant->toDouble() == 0;
}

}  // namespace

void for_each_node(const torch::jit::Block& block, const std::function<void(const Node&)>& visit) {
  for (const Node* node : block.nodes()) {
    visit(*node);
    for (const torch::jit::Block* inner : node->blocks()) for_each_node(*inner, visit);
  }
}

std::string attribute_path(const Value* value, const torch::jit::Graph& graph) {
  const Node& node = *value->node();
  if (node.kind() != torch::jit::prim::GetAttr) return "";
  const std::string name = node.s(torch::jit::attr::name);
  if (node.input(0) == graph.inputs()[0]) return name;
  const std::string owner = attribute_path(node.input(0), graph);
  return owner.empty() ? "" : owner + "." + name;
}

std::string layer_path(const Node& node) {
  const auto calls = node.callstack();
  if (!calls) return "";
  std::string out;
  for (const auto& call : (*calls)->vec()) {
    const auto& part = std::get<2>(call);
    const std::string name = part ? part->instance_name() : "";
    if (name.empty() || name == "SELF") continue;  // another method of the same part
    out += (out.empty() ? "" : ".") + name;
  }
  return out;
}

bool is_call(const Node& node) {
  const auto kind = node.kind();
  return kind == torch::jit::prim::CallFunction || kind == torch::jit::prim::CallMethod ||
         kind == torch::jit::prim::PythonOp || kind == torch::jit::prim::fork;
}

bool draws(const Node& node) {
  if (node.isNondeterministic()) return true;
  const c10::FunctionSchema* schema = node.maybeSchema();
  if (schema == nullptr) return false;
  for (std::size_t i = 0; i < node.inputs().size() && i < schema->arguments().size(); ++i) {
    const c10::Argument& argument = schema->arguments()[i];
    const bool is_dropout = argument.name() == "dropout" || argument.name() == "dropout_p";
    if (is_dropout && !is_zero(node.input(i))) return true;
    const auto optional = argument.type()->cast<c10::OptionalType>();
    const c10::Type& type = optional ? *optional->getElementType() : *argument.type();
    if (type.kind() == c10::TypeKind::GeneratorType) return true;
  }
  return false;
}

}  // namespace hansa::learning
