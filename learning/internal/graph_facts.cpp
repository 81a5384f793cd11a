#include "learning/internal/graph_facts.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <torch/csrc/jit/ir/constants.h>

namespace hansa::learning {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
using Values = std::set<const Value*>;

void for_each_node(const Block& block, const std::function<void(const Node&)>& visit) {
  for (const Node* node : block.nodes()) {
    visit(*node);
    for (const Block* inner : node->blocks()) for_each_node(*inner, visit);
  }
}

// Adds the value, and those whose memory it may share because it was made from them.
void add_origins(const Value* value, Values& out);

void add_origins_of_inputs(const Node& node, Values& out) {
  const c10::FunctionSchema* schema = node.maybeSchema();
  for (std::size_t i = 0; i < node.inputs().size(); ++i)
    if (schema == nullptr || i >= schema->arguments().size() ||
        schema->arguments()[i].alias_info() != nullptr)
      add_origins(node.input(i), out);
}

void add_origins(const Value* value, Values& out) {
  if (!out.insert(value).second) return;
  const Node& node = *value->node();
  switch (node.kind()) {
    case torch::jit::prim::GetAttr:
    case torch::jit::prim::Constant: return;
    case torch::jit::prim::If:
      for (const Block* block : node.blocks()) add_origins(block->outputs()[value->offset()], out);
      return;
    case torch::jit::prim::Loop:
      add_origins(node.input(value->offset() + 2), out);
      add_origins(node.blocks()[0]->outputs()[value->offset() + 1], out);
      return;
    case torch::jit::prim::Param: {
      const Node* owner = node.owningBlock()->owningNode();
      if (owner != nullptr && owner->kind() == torch::jit::prim::Loop && value->offset() > 0)
        add_origins(owner->input(value->offset() + 1), out);
      return;
    }
    default: add_origins_of_inputs(node, out);
  }
}

Values origins_of(const Value* value) {
  Values out;
  add_origins(value, out);
  return out;
}

// "bn1.running_mean". Empty if the value is not an attribute of the model.
std::string path_of(const Value* value, const Graph& graph) {
  const Node& node = *value->node();
  if (node.kind() != torch::jit::prim::GetAttr) return "";
  const std::string name = node.s(torch::jit::attr::name);
  if (node.input(0) == graph.inputs()[0]) return name;
  const std::string owner = path_of(node.input(0), graph);
  return owner.empty() ? "" : owner + "." + name;
}

bool is_call(const Node& node) {
  const auto kind = node.kind();
  return kind == torch::jit::prim::CallFunction || kind == torch::jit::prim::CallMethod ||
         kind == torch::jit::prim::PythonOp || kind == torch::jit::prim::fork;
}

// The inputs to whose memory a node writes.
std::vector<const Value*> written_by(const Node& node) {
  std::vector<const Value*> out;
  const c10::FunctionSchema* schema = node.maybeSchema();
  if (schema == nullptr) return out;
  for (std::size_t i = 0; i < node.inputs().size() && i < schema->arguments().size(); ++i) {
    const c10::Argument& argument = schema->arguments()[i];
    const bool in_place = argument.alias_info() != nullptr && argument.alias_info()->isWrite();
    // Batch normalisation changes its statistics, and its schema does not say so.
    if (in_place || argument.name().starts_with("running_")) out.push_back(node.input(i));
  }
  return out;
}

bool share_a_loop(const Node& a, const Node& b) {
  for (const Node* outer = a.owningBlock()->owningNode(); outer != nullptr;
       outer = outer->owningBlock()->owningNode()) {
    if (outer->kind() != torch::jit::prim::Loop) continue;
    for (const Node* other = b.owningBlock()->owningNode(); other != nullptr;
         other = other->owningBlock()->owningNode())
      if (other == outer) return true;
  }
  return false;
}

// A probability of dropout that is the constant 0 draws nothing.
bool is_zero(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isDouble() && constant->toDouble() == 0;
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

}  // namespace

WrittenAttributes written_attributes(const Graph& graph) {
  WrittenAttributes out;
  for_each_node(*graph.block(), [&](const Node& node) {
    out.all = out.all || is_call(node);
    if (node.kind() == torch::jit::prim::SetAttr) {
      const std::string name = node.s(torch::jit::attr::name);
      const std::string owner = path_of(node.input(0), graph);
      if (node.input(0) == graph.inputs()[0]) out.paths.insert(name);
      else if (owner.empty()) out.all = true;
      else out.paths.insert(owner + "." + name);
    }
    for (const Value* written : written_by(node))
      for (const Value* origin : origins_of(written))
        if (const std::string path = path_of(origin, graph); !path.empty()) out.paths.insert(path);
  });
  return out;
}

bool is_written_later(const Graph& graph, const Node& view) {
  const Values memory = origins_of(view.output());
  bool found = false;
  for_each_node(*graph.block(), [&](const Node& node) {
    if (found || !(node.isAfter(&view) || share_a_loop(node, view))) return;
    for (const Value* written : written_by(node)) {
      const Values origins = origins_of(written);
      found =
          found || std::ranges::any_of(origins, [&](const Value* value) { return memory.contains(value); });
    }
  });
  return found;
}

bool draws_random_numbers(const Graph& graph) {
  bool out = false;
  for_each_node(*graph.block(), [&](const Node& node) { out = out || draws(node); });
  return out;
}

FixedMode fixed_mode(const Graph& graph) {
  FixedMode out = FixedMode::none;
  for_each_node(*graph.block(), [&](const Node& node) {
    const c10::FunctionSchema* schema = node.maybeSchema();
    for (std::size_t i = 0; schema != nullptr && i < node.inputs().size() && i < schema->arguments().size();
         ++i) {
      const std::string& name = schema->arguments()[i].name();
      if (name != "train" && name != "training") continue;
      const auto constant = torch::jit::toIValue(node.input(i));
      // A recurrent layer without dropout has no mode that matters.
      const std::string_view kind = node.kind().toQualString();
      const bool matters = kind == "aten::batch_norm" || kind.find("dropout") != kind.npos || draws(node);
      if (constant && constant->isBool() && matters)
        out = constant->toBool() ? FixedMode::training : FixedMode::evaluation;
    }
  });
  return out;
}

}  // namespace hansa::learning
