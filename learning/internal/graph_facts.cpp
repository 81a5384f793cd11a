#include "learning/internal/graph_facts.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <torch/csrc/jit/ir/constants.h>

#include "learning/internal/graph_nodes.h"

namespace hansa::learning {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
using Values = std::set<const Value*>;

bool holds_tensors(const c10::Type& type) {
  if (type.kind() == c10::TypeKind::TensorType) return true;
  return std::ranges::any_of(type.containedTypes(),
                             [](const auto& inner) { return holds_tensors(*inner); }) ||
         type.kind() == c10::TypeKind::ClassType || type.kind() == c10::TypeKind::AnyType ||
         type.kind() == c10::TypeKind::VarType;
}

// Whether the node's results surely have memory of their own. An operator's schema says which results share memory, but for
// those of containers and for some that return their input, or a view of it, in certain cases.
bool makes_new_memory(const Node& node) {
  constexpr std::array<std::string_view, 11> sharing{"aten::type_as",       "aten::broadcast_tensors",
                                                     "aten::meshgrid",      "aten::atleast_1d",
                                                     "aten::atleast_2d",    "aten::atleast_3d",
                                                     "aten::dropout",       "aten::feature_dropout",
                                                     "aten::alpha_dropout", "aten::feature_alpha_dropout",
                                                     "aten::native_dropout"};
  const std::string_view kind = node.kind().toQualString();
  const c10::FunctionSchema* schema = node.maybeSchema();
  if (schema == nullptr || !kind.starts_with("aten::") || std::ranges::find(sharing, kind) != sharing.end())
    return false;
  return std::ranges::all_of(schema->returns(),
                             [](const c10::Argument& out) {
                               return out.alias_info() == nullptr &&
                                      out.type()->kind() == c10::TypeKind::TensorType;
                             }) &&
         std::ranges::none_of(schema->arguments(), [](const c10::Argument& in) {
           return in.type()->kind() == c10::TypeKind::DictType;
         });
}

// Values whose memory another one may share, because it was made from them, and the attributes among them.
struct Origins {
  Values values;
  std::set<std::string> paths;
  bool is_unknown = false;  // an attribute of a part that is not known

  void add(const Value* value, const Graph& graph) {
    if (!holds_tensors(*value->type()) || !values.insert(value).second) return;
    // What is put into a list or a dictionary can be taken out of it.
    if (value->type()->kind() == c10::TypeKind::ListType || value->type()->kind() == c10::TypeKind::DictType)
      for (const torch::jit::Use& use : value->uses())
        if (!makes_new_memory(*use.user)) add_inputs(*use.user, graph);
    const Node& node = *value->node();
    switch (node.kind()) {
      case torch::jit::prim::Constant: return;
      case torch::jit::prim::GetAttr: {
        const std::string path = attribute_path(value, graph);
        if (path.empty()) is_unknown = true;
        else paths.insert(path);
        return;
      }
      case torch::jit::prim::If:
        for (const Block* block : node.blocks()) add(block->outputs()[value->offset()], graph);
        return;
      case torch::jit::prim::Loop:
        add(node.input(value->offset() + 2), graph);
        add(node.blocks()[0]->outputs()[value->offset() + 1], graph);
        return;
      case torch::jit::prim::Param: {
        const Node* owner = node.owningBlock()->owningNode();
        if (owner == nullptr || owner->kind() != torch::jit::prim::Loop || value->offset() == 0) return;
        add(owner->input(value->offset() + 1), graph);
        add(owner->blocks()[0]->outputs()[value->offset()], graph);
        return;
      }
      default:
        if (!makes_new_memory(node)) add_inputs(node, graph);
    }
  }
  void add_inputs(const Node& node, const Graph& graph) {
    for (const Value* input : node.inputs()) add(input, graph);
  }
};

Origins origins_of(const Value* value, const Graph& graph) {
  Origins out;
  out.add(value, graph);
  return out;
}

bool share(const Origins& a, const Origins& b) {
  const auto common = [](const auto& some, const auto& others) {
    return std::ranges::any_of(some, [&](const auto& one) { return others.contains(one); });
  };
  return common(a.values, b.values) || common(a.paths, b.paths) || (a.is_unknown && !b.paths.empty()) ||
         (b.is_unknown && !a.paths.empty());
}

// The inputs to whose memory a node writes.
std::vector<const Value*> written_by(const Node& node, const Graph& graph, const KnownModes& modes) {
  std::vector<const Value*> out;
  const c10::FunctionSchema* schema = node.maybeSchema();
  if (schema == nullptr || modes.keeps_statistics(node, graph)) return out;
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

}  // namespace

WrittenAttributes written_attributes(const Graph& graph, const KnownModes& modes) {
  WrittenAttributes out;
  modes.for_each_node_that_may_run(graph, [&](const Node& node) {
    out.all = out.all || is_call(node);
    if (node.kind() == torch::jit::prim::SetAttr) {
      const std::string name = node.s(torch::jit::attr::name);
      const std::string owner = attribute_path(node.input(0), graph);
      if (node.input(0) == graph.inputs()[0]) out.assigned.insert(name);
      else if (owner.empty()) out.all = true;
      else out.assigned.insert(owner + "." + name);
    }
    for (const Value* written : written_by(node, graph, modes)) {
      Origins origins = origins_of(written, graph);
      out.all = out.all || origins.is_unknown;
      out.changed.merge(origins.paths);
    }
  });
  return out;
}

bool is_written_later(const Graph& graph, const Node& view) {
  const KnownModes modes;
  const Origins memory = origins_of(view.output(), graph);
  bool found = false;
  for_each_node(*graph.block(), [&](const Node& node) {
    if (found || !(node.isAfter(&view) || share_a_loop(node, view))) return;
    found = is_call(node);
    for (const Value* written : written_by(node, graph, modes))
      found = found || share(origins_of(written, graph), memory);
  });
  return found;
}

bool draws_random_numbers(const Graph& graph) {
  bool out = false;
  for_each_node(*graph.block(), [&](const Node& node) { out = out || draws(node); });
  return out;
}

bool normalises_batches(const Graph& graph, const KnownModes& modes) {
  bool out = false;
  modes.for_each_node_that_may_run(graph, [&](const Node& node) {
    const std::string_view kind = node.kind().toQualString();
    out = out || ((kind == "aten::batch_norm" || kind == "aten::instance_norm") &&
                  !modes.keeps_statistics(node, graph));
  });
  return out;
}

std::set<std::string> normalisation_attributes(const Graph& graph) {
  constexpr std::array<std::string_view, 8> operations{
      "aten::batch_norm",        "aten::instance_norm",     "aten::layer_norm",        "aten::group_norm",
      "aten::native_batch_norm", "aten::native_layer_norm", "aten::native_group_norm", "aten::rms_norm"};
  constexpr std::array<std::string_view, 4> parameters{"weight", "bias", "running_mean", "running_var"};
  std::set<std::string> out;
  for_each_node(*graph.block(), [&](const Node& node) {
    const c10::FunctionSchema* schema = node.maybeSchema();
    if (schema == nullptr ||
        std::ranges::find(operations, std::string_view(node.kind().toQualString())) == operations.end())
      return;
    for (std::size_t i = 0; i < node.inputs().size() && i < schema->arguments().size(); ++i)
      if (std::ranges::find(parameters, schema->arguments()[i].name()) != parameters.end())
        out.merge(origins_of(node.input(i), graph).paths);
  });
  return out;
}

std::vector<std::string> dictionary_keys(const Graph& graph) {
  std::vector<std::string> out;
  const auto add = [&](const Value* key) {
    const auto constant = torch::jit::toIValue(key);
    if (constant && constant->isString() && std::ranges::find(out, constant->toStringRef()) == out.end())
      out.push_back(constant->toStringRef());
  };
  for_each_node(*graph.block(), [&](const Node& node) {
    if (node.kind() == torch::jit::prim::DictConstruct)
      for (std::size_t i = 0; i < node.inputs().size(); i += 2) add(node.input(i));
    if (node.kind() == torch::jit::aten::_set_item &&
        node.input(0)->type()->kind() == c10::TypeKind::DictType)
      add(node.input(1));
  });
  return out;
}

}  // namespace hansa::learning
