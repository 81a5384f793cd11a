// The models that ship with Hansa. They are built in C++, so that the first federation needs no Python.
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

struct Parameter {
  const char* name;
  std::vector<std::int64_t> shape;
  double bound;  // drawn from U(-bound, bound)
};

struct Submodule {
  const char* name;
  std::vector<Parameter> parameters;
};

// Describes a model with `inputs` and `classes` (BuiltInSize), both above 0.
struct Recipe {
  std::vector<Submodule> submodules;
  const char* forward;
};

struct Entry {
  BuiltInModel model;
  BuiltInSize size;  // 0: the architecture fixes the size
  Recipe (*recipe)(const BuiltInSize& size);
};

// A layer initialised by kaiming_uniform with a = sqrt(5), as torch::nn::Linear and Conv are (He et al. 2015). The
// first dimension of `weight` is the number of outputs, which is also the length of the bias.
Submodule layer(const char* name, std::vector<std::int64_t> weight) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < weight.size(); ++i) fan_in *= weight[i];
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  const std::int64_t outputs = weight[0];
  return {name, {{"weight", std::move(weight), bound}, {"bias", {outputs}, bound}}};
}

Recipe logistic(const BuiltInSize& size) {
  return {{layer("fc", {size.classes, size.inputs})}, R"(
def forward(self, x):
    return torch.linear(torch.flatten(x, 1), self.fc.weight, self.fc.bias)
)"};
}

Recipe mlp(const BuiltInSize& size) {
  return {{layer("fc1", {128, size.inputs}), layer("fc2", {size.classes, 128})}, R"(
def forward(self, x):
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    return torch.linear(x, self.fc2.weight, self.fc2.bias)
)"};
}

Recipe cnn_small(const BuiltInSize& size) {
  return {{layer("conv1", {16, 1, 5, 5}), layer("conv2", {32, 16, 5, 5}), layer("fc", {size.classes, 512})},
          R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias)), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias)), [2, 2])
    return torch.linear(torch.flatten(x, 1), self.fc.weight, self.fc.bias)
)"};
}

// The CNN for MNIST of McMahan et al. 2017, section 3.
Recipe cnn_mcmahan(const BuiltInSize& size) {
  return {{layer("conv1", {32, 1, 5, 5}), layer("conv2", {64, 32, 5, 5}), layer("fc1", {512, 3136}),
           layer("fc2", {size.classes, 512})},
          R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias, [1, 1], [2, 2])), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias, [1, 1], [2, 2])), [2, 2])
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    return torch.linear(x, self.fc2.weight, self.fc2.bias)
)"};
}

// LeNet-5 with ReLU and max pooling, as in Li et al. 2022 (NIID-Bench), section 5.
Recipe lenet(const BuiltInSize& size) {
  return {{layer("conv1", {6, 1, 5, 5}), layer("conv2", {16, 6, 5, 5}), layer("fc1", {120, 256}),
           layer("fc2", {84, 120}), layer("fc3", {size.classes, 84})},
          R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias)), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias)), [2, 2])
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    x = torch.relu(torch.linear(x, self.fc2.weight, self.fc2.bias))
    return torch.linear(x, self.fc3.weight, self.fc3.bias)
)"};
}

// The mean over time lets the model take windows of any length from 32 samples.
Recipe conv1d(const BuiltInSize& size) {
  return {
      {layer("conv1", {16, size.inputs, 9}), layer("conv2", {32, 16, 9}), layer("fc", {size.classes, 32})},
      R"(
def forward(self, x):
    x = torch.max_pool1d(torch.relu(torch.conv1d(x, self.conv1.weight, self.conv1.bias)), [2])
    x = torch.relu(torch.conv1d(x, self.conv2.weight, self.conv2.bias))
    return torch.linear(torch.mean(x, [2]), self.fc.weight, self.fc.bias)
)"};
}

// The character model of McMahan et al. 2017, section 3: an embedding of 8 dimensions, two LSTM layers of 256 units,
// and scores for the next character.
Recipe lstm_char(const BuiltInSize& size) {
  constexpr std::int64_t embedding = 8;
  constexpr std::int64_t hidden = 256;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const auto gates = [&](const char* name, std::int64_t inputs) {
    return Submodule{name,
                     {{"weight_ih", {4 * hidden, inputs}, bound},
                      {"weight_hh", {4 * hidden, hidden}, bound},
                      {"bias_ih", {4 * hidden}, bound},
                      {"bias_hh", {4 * hidden}, bound}}};
  };
  // Unit variance, as torch::nn::Embedding is initialised.
  return {{{"embedding", {{"weight", {size.classes, embedding}, std::sqrt(3.0)}}},
           gates("lstm1", embedding),
           gates("lstm2", hidden),
           layer("fc", {size.classes, hidden})},
          R"(
def forward(self, x):
    x = torch.embedding(self.embedding.weight, torch.flatten(x, 1).long())
    h = torch.new_zeros(x, [2, x.size(0), 256])
    weights = [self.lstm1.weight_ih, self.lstm1.weight_hh, self.lstm1.bias_ih, self.lstm1.bias_hh, self.lstm2.weight_ih, self.lstm2.weight_hh, self.lstm2.bias_ih, self.lstm2.bias_hh]
    y, _, _ = torch.lstm(x, [h, h], weights, True, 2, 0.0, self.training, False, True)
    return torch.linear(torch.select(y, 1, -1), self.fc.weight, self.fc.bias)
)"};
}

const std::array<Entry, 7>& entries() {
  static const std::array<Entry, 7> all{{
      {{"logistic", "one linear layer, 784 inputs -> 10 classes; 7,850 parameters"}, {784, 10}, logistic},
      {{"mlp", "784-128-10 with ReLU; 101,770 parameters"}, {784, 10}, mlp},
      {{"cnn-small",
        "two 5x5 convolutions (16, 32) with ReLU and 2x2 max pool, one linear, 1x28x28 -> 10 classes; 18,378 "
        "parameters"},
       {0, 10},
       cnn_small},
      {{"cnn-mcmahan",
        "two padded 5x5 convolutions (32, 64) with ReLU and 2x2 max pool, 512, 1x28x28 -> 10 classes; "
        "1,663,370 "
        "parameters"},
       {0, 10},
       cnn_mcmahan},
      {{"lenet",
        "two 5x5 convolutions (6, 16) with ReLU and 2x2 max pool, 120-84, 1x28x28 -> 10 classes; 44,426 "
        "parameters"},
       {0, 10},
       lenet},
      {{"conv1d",
        "two convolutions of width 9 (16, 32), mean over time, windows of 1 channel -> 2 classes; 4,866 "
        "parameters"},
       {1, 2},
       conv1d},
      {{"lstm-char",
        "embedding of 8, two LSTM layers of 256, sequences of character numbers -> the next of 90; 822,570 "
        "parameters"},
       {0, 90},
       lstm_char},
  }};
  return all;
}

// Draws from U(-bound, bound). The value is exact in double and is rounded once, so all machines get equal weights.
at::Tensor draw_uniform(const std::vector<std::int64_t>& shape, double bound, Random& random) {
  at::Tensor out = at::empty(shape, at::kFloat);
  const std::span<float> values(out.data_ptr<float>(), static_cast<std::size_t>(out.numel()));
  for (float& value : values) value = static_cast<float>((2 * random.uniform() - 1) * bound);
  return out;
}

torch::jit::Module make_submodule(const Submodule& submodule,
                                  const std::shared_ptr<torch::jit::CompilationUnit>& unit, Random& random) {
  torch::jit::Module module(c10::QualifiedName(std::string("__torch__.hansa.") + submodule.name), unit);
  module.register_attribute("training", c10::BoolType::get(), true);
  for (const Parameter& parameter : submodule.parameters)
    module.register_parameter(
        parameter.name, draw_uniform(parameter.shape, parameter.bound, random).requires_grad_(true), false);
  return module;
}

std::string make_archive(const std::string& name, const Recipe& recipe, std::uint64_t seed) {
  Random random(derive_seed(seed, "built-in model", 0, name));
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  torch::jit::Module module(c10::QualifiedName("__torch__.hansa.Model"), unit);
  module.register_attribute("training", c10::BoolType::get(), true);
  for (const Submodule& submodule : recipe.submodules)
    module.register_module(submodule.name, make_submodule(submodule, unit, random));
  module.define(recipe.forward);
  // Saved to a stream, because an archive saved to a file stores the file's name, and equal seeds would give unequal
  // bytes.
  std::ostringstream out;
  module.save(out);
  return std::move(out).str();
}

// The requested size, or the architecture's default. Fails if the architecture fixes its size and another is requested.
Result<std::int64_t> choose_size(std::int64_t asked, std::int64_t own, const std::string& name,
                                 const char* what) {
  if (asked == 0) return own;
  if (own == 0)
    return fail(ErrorCode::usage, name, std::string("has a fixed number of ") + what,
                std::string("remove --") + what);
  if (asked < 1 || asked > 1'000'000)
    return fail(ErrorCode::usage, name, std::string("cannot have ") + std::to_string(asked) + " " + what,
                "use 1 to 1,000,000");
  return asked;
}

}  // namespace

std::span<const BuiltInModel> built_in_models() {
  static const auto models = [] {
    std::vector<BuiltInModel> out;
    for (const Entry& entry : entries()) out.push_back(entry.model);
    return out;
  }();
  return models;
}

Result<void> create_built_in(const std::string& name, std::uint64_t seed,
                             const std::filesystem::path& archive, const BuiltInSize& size) {
  std::string known;
  for (const Entry& entry : entries()) {
    if (entry.model.name == name) {
      BuiltInSize chosen;
      HANSA_TRY(chosen.inputs, choose_size(size.inputs, entry.size.inputs, name, "inputs"));
      HANSA_TRY(chosen.classes, choose_size(size.classes, entry.size.classes, name, "classes"));
      HANSA_TRY(const std::string bytes, guarded(name, "cannot be created", "", [&]() -> Result<std::string> {
                  return make_archive(name, entry.recipe(chosen), seed);
                }));
      return write_file_atomically(archive, bytes);
    }
    if (!known.empty()) known += ", ";
    known.append("\"").append(entry.model.name).append("\"");
  }
  return fail(ErrorCode::usage, "",
              std::string("\"").append(name, 0, 40).append("\" is not a built-in model"),
              "use one of " + known + ", or a TorchScript archive");
}

}  // namespace hansa::learning
