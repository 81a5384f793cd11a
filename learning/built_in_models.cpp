// The models that ship with Hansa, made in C++ so that no Python is needed to start.
#include <array>
#include <cmath>
#include <sstream>

#include <torch/script.h>

#include "common/files.h"
#include "common/random.h"
#include "learning/internal/torch_guard.h"
#include "learning/model_archive.h"

namespace hansa::learning {
namespace {

struct Layer {
  const char* name;
  std::vector<std::int64_t> weight;  // outputs first; the bias has weight[0] elements
};

struct Recipe {
  std::vector<Layer> layers;
  const char* forward;
};

// In the order of built_in_models().
const std::array<BuiltInModel, 3> models{{
    {"logistic", "one linear layer, 1x28x28 -> 10 classes; 7,850 parameters"},
    {"mlp", "784-128-10 with ReLU, 1x28x28 -> 10 classes; 101,770 parameters"},
    {"cnn-small",
     "two 5x5 convolutions (16, 32) with ReLU and 2x2 max pool, one linear, 1x28x28 -> 10 classes; "
     "18,378 parameters"},
}};

Recipe recipe_of(std::string_view name) {
  if (name == "logistic")
    return {{{"fc", {10, 784}}}, R"(
def forward(self, x):
    return torch.linear(torch.flatten(x, 1), self.fc.weight, self.fc.bias)
)"};
  if (name == "mlp")
    return {{{"fc1", {128, 784}}, {"fc2", {10, 128}}}, R"(
def forward(self, x):
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    return torch.linear(x, self.fc2.weight, self.fc2.bias)
)"};
  return {{{"conv1", {16, 1, 5, 5}}, {"conv2", {32, 16, 5, 5}}, {"fc", {10, 512}}}, R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias)), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias)), [2, 2])
    return torch.linear(torch.flatten(x, 1), self.fc.weight, self.fc.bias)
)"};
}

// U(-bound, bound): the sum is exact in double and rounded once, so all machines agree.
at::Tensor draw_uniform(const std::vector<std::int64_t>& shape, double bound, Random& random) {
  at::Tensor out = at::empty(shape, at::kFloat);
  const std::span<float> values(out.data_ptr<float>(), static_cast<std::size_t>(out.numel()));
  for (float& value : values) value = static_cast<float>((2 * random.uniform() - 1) * bound);
  return out;
}

// kaiming_uniform with a = sqrt(5), as torch::nn::Linear and Conv2d start: He et al. 2015.
torch::jit::Module make_layer(const Layer& layer, const std::shared_ptr<torch::jit::CompilationUnit>& unit,
                              Random& random) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < layer.weight.size(); ++i) fan_in *= layer.weight[i];
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  torch::jit::Module module(c10::QualifiedName(std::string("__torch__.hansa.") + layer.name), unit);
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_parameter("weight", draw_uniform(layer.weight, bound, random).requires_grad_(true), false);
  module.register_parameter("bias", draw_uniform({layer.weight[0]}, bound, random).requires_grad_(true),
                            false);
  return module;
}

std::string make_archive(std::string_view name, std::uint64_t seed) {
  const Recipe recipe = recipe_of(name);
  Random random(derive_seed(seed, "built-in model", 0, name));
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  torch::jit::Module module(c10::QualifiedName("__torch__.hansa.Model"), unit);
  module.register_attribute("training", c10::BoolType::get(), true);
  for (const Layer& layer : recipe.layers)
    module.register_module(layer.name, make_layer(layer, unit, random));
  module.define(recipe.forward);
  // To a stream: an archive saved by name holds that name, and equal seeds would give unequal bytes.
  std::ostringstream out;
  module.save(out);
  return std::move(out).str();
}

}  // namespace

std::span<const BuiltInModel> built_in_models() { return models; }

Result<void> create_built_in(const std::string& name, std::uint64_t seed,
                             const std::filesystem::path& archive) {
  std::string known;
  for (const BuiltInModel& model : models) {
    if (model.name == name) {
      HANSA_TRY(const std::string bytes, guarded(name, "cannot be made", "", [&]() -> Result<std::string> {
                  return make_archive(name, seed);
                }));
      return write_file_atomically(archive, bytes);
    }
    if (!known.empty()) known += ", ";
    known.append("\"").append(model.name).append("\"");
  }
  return fail(ErrorCode::usage, "",
              std::string("\"").append(name, 0, 40).append("\" is not a built-in model"),
              "the built-in models are " + known + "; or name a TorchScript archive");
}

}  // namespace hansa::learning
