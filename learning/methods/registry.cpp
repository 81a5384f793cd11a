#include "learning/methods/registry.h"

#include <cassert>
#include <utility>

namespace hansa::learning {

// Each method's file defines its factory. A new method adds a line here and one in shipped_methods().
std::unique_ptr<const TrainingMethod> make_sgd();

MethodRegistry shipped_methods() {
  MethodRegistry out;
  out.add(make_sgd());
  return out;
}

void MethodRegistry::add(std::unique_ptr<const TrainingMethod> method) {
  assert(find(method->description().name) == nullptr);
  table_.push_back(method->description());
  methods_.push_back(std::move(method));
}

const TrainingMethod* MethodRegistry::find(std::string_view name) const {
  for (const auto& method : methods_)
    if (method->description().name == name) return method.get();
  return nullptr;
}

}  // namespace hansa::learning
