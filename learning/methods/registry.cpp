#include "learning/methods/registry.h"

#include <cassert>
#include <string>
#include <utility>

namespace hansa::learning {

// Each method's file defines its factory. A new method adds a line here and one in shipped_methods().
std::unique_ptr<const TrainingMethod> make_local_training(std::string name);
std::unique_ptr<const TrainingMethod> make_fed_prox();
std::unique_ptr<const TrainingMethod> make_scaffold();
std::unique_ptr<const TrainingMethod> make_fed_nova();
std::unique_ptr<const TrainingMethod> make_fed_dyn();
std::unique_ptr<const TrainingMethod> make_fed_rep();
std::unique_ptr<const TrainingMethod> make_ditto();
std::unique_ptr<const TrainingMethod> make_moon();

MethodRegistry shipped_methods() {
  MethodRegistry out;
  for (const char* name : {"sgd", "adam", "adamw"}) out.add(make_local_training(name));
  out.add(make_fed_prox());
  out.add(make_scaffold());
  out.add(make_fed_nova());
  out.add(make_fed_dyn());
  for (const char* name : {"fedbn", "fedper"}) out.add(make_local_training(name));
  out.add(make_fed_rep());
  out.add(make_ditto());
  out.add(make_moon());
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
