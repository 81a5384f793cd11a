#include "learning/built_in/recipe_archive.h"

#include <memory>
#include <sstream>
#include <utility>

#include <torch/script.h>

namespace hansa::learning::built_in {
namespace {

using torch::jit::CompilationUnit;
using torch::jit::Module;

class ArchiveMaker {
 public:
  ArchiveMaker(const std::string& name, std::uint64_t seed)
      : random_(derive_seed(seed, "built-in model", 0, name)) {}

  Module make(const Recipe& recipe) { return make_module("Model", {{}, {}, recipe.parts, recipe.code}, ""); }

 private:
  // `prefix` makes the names of the classes of parts of parts unique.
  Module make_module(const std::string& class_name, const Part& part, const std::string& prefix) {
    Module module(c10::QualifiedName("__torch__.hansa." + class_name), unit_);
    module.register_attribute("training", c10::BoolType::get(), true);
    for (const Parameter& parameter : part.parameters)
      module.register_parameter(parameter.name, values_of(parameter).requires_grad_(true), false);
    for (const Part& inner : part.parts)
      module.register_module(inner.name, make_module(prefix + inner.name, inner, prefix + inner.name + "_"));
    if (!part.code.empty()) module.define(part.code);
    return module;
  }

  at::Tensor values_of(const Parameter& parameter) {
    at::Tensor out = at::empty(parameter.shape, at::kFloat);
    draw(parameter.initial, {out.data_ptr<float>(), static_cast<std::size_t>(out.numel())}, random_);
    return out;
  }

  Random random_;
  std::shared_ptr<CompilationUnit> unit_ = std::make_shared<CompilationUnit>();
};

}  // namespace

std::string make_archive(const std::string& name, const Recipe& recipe, std::uint64_t seed) {
  // Saved to a stream, because an archive saved to a file stores the file's name, and equal seeds would give unequal
  // bytes.
  std::ostringstream out;
  ArchiveMaker(name, seed).make(recipe).save(out);
  return std::move(out).str();
}

}  // namespace hansa::learning::built_in
