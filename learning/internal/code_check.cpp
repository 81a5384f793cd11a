#include "learning/internal/code_check.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>

#include "common/text.h"
#include "learning/internal/allowed_operators.h"
#include "learning/internal/cast_check.h"

namespace hansa::learning {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

constexpr std::size_t line_length_max = 120;

// " (model.py:12: x = self.fc(x))": the line of the user's source if the archive has it, or else that of its own code.
// The text comes from the archive, so that what a terminal may interpret is escaped.
std::string location_of(const Node& node) {
  torch::jit::SourceRange range = node.sourceRange();
  if (const auto original = range.findSourceRangeThatGenerated()) range = *original;
  const auto& source = range.source();
  if (!source) return "";
  std::string out;
  if (const auto position = range.file_line_col()) {
    const std::string& file = std::get<0>(*position);
    out = file.substr(file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1) + ":" +
          std::to_string(std::get<1>(*position)) + ": ";
  }
  const std::string line = source->get_line(source->lineno_for_offset(range.start())).str();
  out += std::string(trimmed(line).substr(0, line_length_max));
  return " (" + printable(out) + ")";
}

bool contains_tensor(const c10::Type& type) {
  if (type.kind() == c10::TypeKind::TensorType) return true;
  return std::ranges::any_of(type.containedTypes(),
                             [](const auto& inner) { return contains_tensor(*inner); });
}

// What a tensor is, not what it holds.
bool describes_tensor(std::string_view kind) {
  static const std::unordered_set<std::string_view> kinds{
      "aten::size", "aten::dim", "aten::numel", "aten::len", "aten::stride", "prim::dtype", "prim::device",
      "prim::layout", "prim::shape", "prim::ndim", "prim::requires_grad", "aten::is_floating_point",
      "aten::is_complex", "aten::is_contiguous", "prim::is_nested", "prim::is_cuda", "prim::is_cpu",
      "prim::is_sparse", "prim::is_quantized",
      // Whether an optional tensor is there.
      "aten::__is__", "aten::__isnot__"};
  return kinds.contains(kind);
}

class Checker {
 public:
  explicit Checker(const std::string& location) : location_(location) {}

  Result<void> check(Graph& graph) {
    for (const Value* input : graph.inputs())
      HANSA_TRY_VOID(check_type(*input, *graph.block()->param_node()));
    return check(*graph.block());
  }

 private:
  [[nodiscard]] tl::unexpected<Error> refuse(const Node& node, const std::string& what,
                                             std::string hint) const {
    return fail(ErrorCode::model, location_, what + location_of(node), std::move(hint),
                {ReasonCode::model_refused, {}});
  }

  Result<void> check(Block& block) {
    // Values that are replaced get new nodes, so that the nodes are collected before.
    const std::vector<Node*> nodes(block.nodes().begin(), block.nodes().end());
    for (Node* node : nodes) HANSA_TRY_VOID(check(*node));
    return {};
  }

  Result<void> check(Node& node) {
    const std::string kind = node.kind().toQualString();
    if (!is_allowed_operator(kind)) {
      const OperatorAdvice advice = advice_on_operator(kind);
      return refuse(node, "uses " + kind + ", which " + std::string(advice.what), std::string(advice.hint));
    }
    for (const Value* output : node.outputs()) HANSA_TRY_VOID(check_type(*output, node));
    if (kind == "prim::unchecked_cast") check_when_it_runs(node);
    if (kind == "prim::RaiseException" || kind == "aten::warn") HANSA_TRY_VOID(check_message(node));
    for (Block* inner : node.blocks()) HANSA_TRY_VOID(check(*inner));
    for (const c10::Symbol name : node.attributeNames()) {
      if (node.kindOf(name) == torch::jit::AttributeKind::g) HANSA_TRY_VOID(check(*node.g(name)));
      if (node.kindOf(name) == torch::jit::AttributeKind::gs)
        for (const auto& graph : node.gs(name)) HANSA_TRY_VOID(check(*graph));
    }
    return {};
  }

  Result<void> check_type(const Value& value, const Node& node) const {
    if (!has_compiled_class(*value.type())) return {};
    return refuse(node, "uses " + value.type()->repr_str() + ", a class of torch.classes",
                  "a model may use only PyTorch's own operators and classes that are written in TorchScript");
  }

  Result<void> check_message(Node& node) {
    std::set<const Value*> seen;
    std::string constant;
    if (depends_on_data(*node.input(0), seen, constant))
      return refuse(node,
                    node.kind() == torch::jit::prim::RaiseException
                        ? "raises an exception whose text is computed from a tensor"
                        : "prints a warning whose text is computed from a tensor",
                    "use a constant text: data must not leave the device in an error");
    // The second input of an exception is its class, that of a warning how many callers are left out of its position.
    if (node.kind() == torch::jit::prim::RaiseException)
      for (std::size_t i = 1; i < node.inputs().size(); ++i)
        if (node.input(i)->node()->kind() != torch::jit::prim::Constant)
          return refuse(node, "raises an exception of a computed class", "use a constant class and text");
    if (node.input(0)->node()->kind() == torch::jit::prim::Constant) return {};
    const torch::jit::WithInsertPoint here(&node);
    node.replaceInput(0, node.owningGraph()->insertConstant(
                             constant.empty() ? std::string("raised by the model") : constant));
    return {};
  }

  // Whether the value is computed from the values of a tensor in this function. Collects the longest constant text
  // of which it is made.
  bool depends_on_data(const Value& value, std::set<const Value*>& seen, std::string& constant) {
    if (!seen.insert(&value).second) return false;
    if (contains_tensor(*value.type())) return true;
    const Node& node = *value.node();
    if (node.kind() == torch::jit::prim::Constant) {
      if (const auto text = torch::jit::toIValue(&value);
          text && text->isString() && text->toStringRef().size() > constant.size())
        constant = text->toStringRef();
      return false;
    }
    if (describes_tensor(node.kind().toQualString())) return false;
    if (node.kind() == torch::jit::prim::GetAttr) return false;  // an attribute that is not a tensor
    if (node.kind() == torch::jit::prim::If) {
      // Each branch has one output for each of the node's.
      for (const Block* branch : node.blocks())
        if (depends_on_data(*branch->outputs()[value.offset()], seen, constant)) return true;
      return depends_on_data(*node.input(0), seen, constant);
    }
    for (const Value* input : node.inputs())
      if (depends_on_data(*input, seen, constant)) return true;
    for (const Block* inner : node.blocks())
      for (const Value* output : inner->outputs())
        if (depends_on_data(*output, seen, constant)) return true;
    return false;
  }

  const std::string& location_;
};

}  // namespace

bool has_compiled_class(const c10::Type& type) {
  if (const auto named = type.cast<c10::NamedType>(); named && named->name()) {
    const std::string name = named->name()->qualifiedName();
    if (name.starts_with("__torch__.torch.classes.")) return true;
  }
  // A class of the archive refers to itself or others through its attributes: they are checked where they are used.
  if (type.kind() == c10::TypeKind::ClassType) return false;
  return std::ranges::any_of(type.containedTypes(),
                             [](const auto& inner) { return has_compiled_class(*inner); });
}

Result<void> check_code(torch::jit::CompilationUnit& unit, const std::string& location) {
  Checker checker(location);
  // Completing a function may add others.
  for (std::size_t i = 0; i < unit.get_functions().size(); ++i) {
    torch::jit::Function* const function = unit.get_functions()[i];
    function->ensure_defined();
    torch::jit::GraphFunction* const code = torch::jit::tryToGraphFunction(*function);
    if (code == nullptr)
      return fail(ErrorCode::model, location,
                  "has a function " + function->name() + " without TorchScript code",
                  "save the model with torch.jit.script(model).save(...)", {ReasonCode::model_refused, {}});
    HANSA_TRY_VOID(checker.check(*code->graph()));
  }
  return {};
}

}  // namespace hansa::learning
