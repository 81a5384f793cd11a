#include "tests/learning/method_archives.h"

#include <memory>
#include <string>
#include <vector>

#include <torch/script.h>

namespace hansa::learning::testing {
namespace {

using torch::jit::Module;
using Unit = std::shared_ptr<torch::jit::CompilationUnit>;

Module module_of(const std::string& class_name, const Unit& unit) {
  Module module(c10::QualifiedName("__torch__." + class_name), unit);
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

void add_weight(Module& module, const std::vector<std::int64_t>& shape, double phase) {
  const at::Tensor count = at::arange(at::zeros(shape).numel(), at::kFloat);
  module.register_parameter("weight",
                            (count * 0.9 + phase).sin().mul(0.6).reshape(shape).requires_grad_(true), false);
}

Module linear(const std::string& name, const std::vector<std::int64_t>& shape, double phase,
              const Unit& unit) {
  Module out = module_of("test." + name, unit);
  add_weight(out, shape, phase);
  out.define("def forward(self, x):\n    return torch.linear(x, self.weight)\n");
  return out;
}

Module batch_norm(const std::string& class_name, const Unit& unit) {
  Module out = module_of(class_name, unit);
  out.register_parameter("weight", at::ones({4}).requires_grad_(true), false);
  out.register_parameter("bias", at::zeros({4}).requires_grad_(true), false);
  out.register_buffer("running_mean", at::zeros({4}));
  out.register_buffer("running_var", at::ones({4}));
  out.define(R"(
def forward(self, x):
    return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var,
                            self.training, 0.1, 1e-5, True)
)");
  return out;
}

}  // namespace

void write_two_layers(const std::filesystem::path& path, const TwoLayers& shape) {
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  Module model = module_of("test.TwoLayers", unit);
  model.register_module("body", linear("Body", {shape.hidden, shape.inputs}, 0.3, unit));
  model.register_module("head", linear("Head", {shape.classes, shape.hidden}, 1.7, unit));
  model.define(R"(
def hidden(self, x):
    return torch.tanh(self.body.forward(torch.flatten(x, 1)))
def forward(self, x):
    return self.head.forward(self.hidden(x))
)");
  if (shape.has_representation) model.define("def representation(self, x):\n    return self.hidden(x)\n");
  if (shape.has_training_loss)
    model.define("def training_loss(self, x, y):\n    return torch.cross_entropy_loss(self.forward(x), y)\n");
  model.save(path.string());
}

void write_normalising(const std::filesystem::path& path) {
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  Module model = module_of("test.Normalising", unit);
  model.register_module("b1", batch_norm("torch.nn.modules.batchnorm.BatchNorm1d", unit));
  Module other = module_of("test.Other", unit);
  other.register_module("b2", batch_norm("torch.nn.modules.batchnorm.___torch_mangle_7.BatchNorm1d", unit));
  other.define("def forward(self, x):\n    return self.b2.forward(x)\n");
  model.register_module("other", other);
  model.register_parameter("scale", at::ones({4}).requires_grad_(true), false);
  model.register_parameter("shift", at::zeros({4}).requires_grad_(true), false);
  model.register_module("bn", linear("Bn", {3, 4}, 0.5, unit));
  Module unused = module_of("torch.nn.modules.normalization.LayerNorm", unit);
  add_weight(unused, {4}, 0.1);
  model.register_module("norm", unused);
  model.define(R"(
def forward(self, x):
    x = self.other.forward(self.b1.forward(torch.flatten(x, 1)))
    x = torch.layer_norm(x, [4], self.scale, self.shift, 1e-5, True)
    return self.bn.forward(x)
)");
  model.save(path.string());
}

}  // namespace hansa::learning::testing
