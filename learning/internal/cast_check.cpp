#include "learning/internal/cast_check.h"

#include <string>

#include <ATen/core/jit_type.h>

namespace hansa::learning {
namespace {

// Operators that take a value of another type find None by themselves.
bool excludes_only_none(const c10::Type& from, const c10::Type& to) {
  const auto optional = from.cast<c10::OptionalType>();
  return optional && optional->getElementType()->isSubtypeOf(to);
}

}  // namespace

void check_when_it_runs(torch::jit::Node& cast) {
  torch::jit::Value* const value = cast.input(0);
  const c10::TypePtr to = cast.output()->type();
  if (value->type()->isSubtypeOf(*to) || excludes_only_none(*value->type(), *to)) return;
  torch::jit::Graph& graph = *cast.owningGraph();
  const torch::jit::WithInsertPoint before(&cast);
  torch::jit::Node* const test = graph.insertNode(graph.createIsInstance(value, {to}));
  torch::jit::Node* const branch = graph.insertNode(graph.create(torch::jit::prim::If, {test->output()}, 0));
  test->setSourceRange(cast.sourceRange());
  branch->setSourceRange(cast.sourceRange());
  branch->addBlock();
  torch::jit::Block* const otherwise = branch->addBlock();
  const torch::jit::WithInsertPoint inside(otherwise);
  graph.insert(torch::jit::prim::RaiseException,
               {std::string("the model casts a value to a type that the value does not have")}, {},
               cast.sourceRange());
}

}  // namespace hansa::learning
