#include "tests/learning/archives.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/script.h>

// Needs the types of the others.
#include <torch/nn/utils/clip_grad.h>

#include "common/random.h"
#include "learning/data/idx_file.h"

namespace hansa::learning::testing {
namespace {

using torch::jit::Module;
using Unit = std::shared_ptr<torch::jit::CompilationUnit>;

Module make_module(const char* name, const Unit& unit) {
  Module module(c10::QualifiedName(std::string("__torch__.test.") + name), unit);
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

at::Tensor ramp(std::vector<std::int64_t> shape, double scale) {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  return (at::arange(count, at::kFloat) * 0.7).sin().mul(scale).reshape(shape);
}

void add_linear(Module& module, std::int64_t features, std::int64_t classes) {
  module.register_parameter("weight", at::zeros({classes, features}).requires_grad_(true), false);
  module.register_parameter("bias", at::zeros({classes}).requires_grad_(true), false);
}

void add_batch_norm(Module& module, std::int64_t features) {
  module.register_parameter("weight", at::ones({features}).requires_grad_(true), false);
  module.register_parameter("bias", at::zeros({features}).requires_grad_(true), false);
  module.register_buffer("running_mean", at::zeros({features}));
  module.register_buffer("running_var", at::ones({features}));
  module.register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
  // In a separate method, because PyTorch's layers consist of functions that call functions.
  module.define(R"(
def normalise(self, x):
    return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var,
                            self.training, 0.1, 1e-5, True)
def forward(self, x):
    if self.training:
        self.num_batches_tracked.add_(1)
    return self.normalise(x)
)");
}

constexpr const char* linear_forward = R"(
def forward(self, x):
    return torch.linear(torch.flatten(x, 1), self.weight, self.bias)
)";

Module make_nested_cnn(const Unit& unit) {
  Module conv = make_module("Conv", unit);
  conv.register_parameter("weight", ramp({6, 1, 3, 3}, 0.4).requires_grad_(true), false);
  conv.register_parameter("bias", ramp({6}, 0.1).requires_grad_(true), false);
  conv.define(R"(
def forward(self, x):
    return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])
)");
  Module relu = make_module("Relu", unit);
  relu.define(R"(
def forward(self, x):
    inplace = True
    if inplace:
        return torch.relu_(x)
    return torch.relu(x)
)");
  Module pool = make_module("Pool", unit);
  pool.define(R"(
def forward(self, x):
    return torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], False)
)");
  Module norm = make_module("Norm", unit);
  add_batch_norm(norm, 6);
  Module conv2 = make_module("Conv2", unit);
  conv2.register_parameter("weight", ramp({4, 6, 3, 3}, 0.3).requires_grad_(true), false);
  conv2.define(R"(
def forward(self, x):
    return torch.conv2d(x, self.weight, None, [1, 1], [1, 1])
)");
  Module model = make_module("Nested", unit);
  model.register_module("conv", conv);
  model.register_module("relu", relu);
  model.register_module("pool", pool);
  model.register_module("norm", norm);
  model.register_module("conv2", conv2);
  model.register_parameter("weight", ramp({3, 20}, 0.3).requires_grad_(true), false);
  model.register_parameter("bias", ramp({3}, 0.1).requires_grad_(true), false);
  // Pools with an odd side (5 x 5 -> 2 x 2), ReLU before and after a pool, a ReLU whose result is used twice, and a
  // pool of 3 x 3: the last two must not be fused.
  model.define(R"(
def forward(self, x):
    x = self.pool.forward(self.relu.forward(self.conv.forward(x)))
    x = self.norm.forward(x)
    y = torch.relu(torch.max_pool2d(self.conv2.forward(x), [2, 2]))
    z = torch.relu(self.conv2.forward(x))
    z = torch.max_pool2d(z, [2, 2]) + torch.mean(z)
    w = torch.max_pool2d(torch.relu(x), [3, 3], [1, 1])
    y = torch.cat([y, z], 1)
    y = torch.flatten(y, 1)
    y = torch.cat([y[:, 0:19], torch.mean(w, [1, 2, 3]).unsqueeze(1)], 1)
    return torch.linear(y, self.weight, self.bias)
)");
  return model;
}

Module make_model(TestModel kind, const ModelInput& input, const Unit& unit) {
  constexpr std::int64_t classes = 3;
  const std::int64_t features = input.rows * input.columns;
  if (kind == TestModel::nested_cnn) return make_nested_cnn(unit);
  Module model = make_module("Model", unit);
  switch (kind) {
    case TestModel::linear:
      add_linear(model, features, classes);
      model.define(linear_forward);
      break;
    case TestModel::batch_norm: {
      Module norm = make_module("Norm", unit);
      add_batch_norm(norm, features);
      model.register_module("norm", norm);
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    return torch.linear(self.norm.forward(torch.flatten(x, 1)), self.weight, self.bias)
)");
      break;
    }
    case TestModel::dropout:
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    return torch.linear(torch.dropout(torch.flatten(x, 1), 0.5, self.training), self.weight, self.bias)
)");
      break;
    case TestModel::custom_loss:
      add_linear(model, features, classes);
      model.define(linear_forward);
      model.define(R"(
def training_loss(self, x, y):
    return 2.0 * torch.cross_entropy_loss(self.forward(x), y)
def metrics(self, x, y) -> Dict[str, Tuple[Tensor, int]]:
    right = torch.eq(torch.argmax(self.forward(x), 1), y).sum()
    return {"right": (right, x.size(0)), "ones": (torch.ones([1]) * x.size(0), x.size(0))}
)");
      break;
    case TestModel::bad_metrics:
      add_linear(model, features, classes);
      model.define(linear_forward);
      model.define("def metrics(self, x, y):\n    return 3.0\n");
      break;
    case TestModel::tied_weights: {
      const at::Tensor weight = ramp({features, features}, 0.2).requires_grad_(true);
      model.register_parameter("first", weight, false);
      model.register_parameter("second", weight, false);
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    x = torch.tanh(torch.linear(torch.flatten(x, 1), self.first))
    return torch.linear(torch.tanh(torch.linear(x, self.second)), self.weight, self.bias)
)");
      break;
    }
    case TestModel::frozen_layer:
      model.register_parameter("frozen", ramp({features, features}, 0.2), false);
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    return torch.linear(torch.linear(torch.flatten(x, 1), self.frozen), self.weight, self.bias)
)");
      break;
    case TestModel::counter:
      add_linear(model, features, classes);
      model.register_attribute("calls", c10::IntType::get(), 0);
      model.define(R"(
def forward(self, x):
    self.calls = self.calls + 1
    return torch.linear(torch.flatten(x, 1), self.weight, self.bias) * float(self.calls)
)");
      break;
    case TestModel::without_forward:
      add_linear(model, features, classes);
      model.define("def predict(self, x):\n    return x\n");
      break;
    case TestModel::without_parameters:
      model.define("def forward(self, x):\n    return torch.flatten(x, 1)\n");
      break;
    case TestModel::double_precision:
      model.register_parameter("weight", at::zeros({3}, at::kDouble).requires_grad_(true), false);
      model.define("def forward(self, x):\n    return torch.flatten(x, 1) * self.weight\n");
      break;
    case TestModel::raises:
      add_linear(model, features, classes);
      model.define("def forward(self, x):\n    assert x.size(0) == 0, \"no examples today\"\n    return x\n");
      break;
    case TestModel::tuple_output:
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    y = torch.linear(torch.flatten(x, 1), self.weight, self.bias)
    return (y, x)
)");
      break;
    case TestModel::class_output:
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    return torch.argmax(torch.linear(torch.flatten(x, 1), self.weight, self.bias), 1)
)");
      break;
    case TestModel::argmax_loss:
      add_linear(model, features, classes);
      model.define(linear_forward);
      model.define(R"(
def training_loss(self, x, y):
    return torch.mean((torch.argmax(self.forward(x), 1) != y).float())
)");
      break;
    case TestModel::raises_data:
      add_linear(model, features, classes);
      model.define(linear_forward);
      model.define(R"(
def training_loss(self, x, y):
    return torch.mean(x[int(x.flatten()[0])])
)");
      break;
    case TestModel::vector_loss:
      add_linear(model, features, classes);
      model.define(linear_forward);
      model.define(R"(
def training_loss(self, x, y):
    return torch.sum(self.forward(x), 1)
)");
      break;
    case TestModel::broadcasting_loss:
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    return torch.sum(torch.linear(torch.flatten(x, 1), self.weight, self.bias), [1], True)
def training_loss(self, x, y):
    difference = self.forward(x) - y
    return torch.mean(difference * difference)
)");
      break;
    case TestModel::squeezing_loss:
      add_linear(model, features, classes);
      model.define(R"(
def forward(self, x):
    return torch.sum(torch.linear(torch.flatten(x, 1), self.weight, self.bias), [1], True)
def training_loss(self, x, y):
    difference = torch.squeeze(self.forward(x), 1) - y
    return torch.mean(difference * difference)
)");
      break;
    case TestModel::gru: {
      constexpr std::int64_t hidden = 5;
      std::vector<at::Tensor> weights{ramp({3 * hidden, input.columns}, 0.4), ramp({3 * hidden, hidden}, 0.4),
                                      ramp({3 * hidden}, 0.2), ramp({3 * hidden}, 0.2)};
      const std::array<const char*, 4> names{"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
      for (std::size_t i = 0; i < weights.size(); ++i)
        model.register_parameter(names[i], weights[i].requires_grad_(true), false);
      model.register_attribute("_flat_weights", c10::ListType::ofTensors(), c10::List<at::Tensor>(weights));
      model.register_parameter("head", ramp({classes, hidden}, 0.3).requires_grad_(true), false);
      model.define(R"(
def forward(self, x):
    x = torch.flatten(x, 1, 2)
    h = torch.new_zeros(x, [1, x.size(0), 5])
    y, _ = torch.gru(x, h, self._flat_weights, True, 1, 0.0, self.training, False, True)
    return torch.linear(torch.select(y, 1, -1), self.head)
)");
      break;
    }
    case TestModel::two_conv1d:
      model.register_parameter("first", ramp({6, input.rows, 3}, 0.4).requires_grad_(true), false);
      model.register_parameter("second", ramp({4, 6, 3}, 0.4).requires_grad_(true), false);
      model.register_parameter("weight", ramp({classes, 4 * input.columns}, 0.3).requires_grad_(true), false);
      model.define(R"(
def forward(self, x):
    x = torch.relu(torch.conv1d(torch.flatten(x, 1, 2), self.first, None, [1], [1]))
    x = torch.relu(torch.conv1d(x, self.second, None, [1], [1]))
    return torch.linear(torch.flatten(x, 1), self.weight)
)");
      break;
    case TestModel::nested_cnn: break;
  }
  return model;
}

}  // namespace

void write_archive(TestModel kind, const std::filesystem::path& path, const ModelInput& input) {
  make_model(kind, input, std::make_shared<torch::jit::CompilationUnit>()).save(path.string());
}

std::vector<std::int64_t> output_shape(const std::filesystem::path& archive,
                                       const std::vector<std::int64_t>& input) {
  const at::NoGradGuard no_grad;
  return torch::jit::load(archive.string()).forward({torch::ones(input)}).toTensor().sizes().vec();
}

std::vector<float> loaded_parameters(const std::filesystem::path& archive) {
  std::vector<float> out;
  for (const at::Tensor& parameter : torch::jit::load(archive.string()).parameters()) {
    const at::Tensor values = parameter.detach().contiguous();
    out.insert(out.end(), values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  }
  return out;
}

namespace {

std::unique_ptr<torch::optim::Optimizer> reference_optimizer(const std::vector<at::Tensor>& parameters,
                                                             const TrainingConfig& config) {
  const auto betas = std::make_tuple(config.beta1, config.beta2);
  switch (config.optimizer) {
    case LocalOptimizer::adam:
      return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(config.learning_rate)
                                                                  .betas(betas)
                                                                  .eps(config.epsilon)
                                                                  .weight_decay(config.weight_decay));
    case LocalOptimizer::adamw:
      return std::make_unique<torch::optim::AdamW>(parameters,
                                                   torch::optim::AdamWOptions(config.learning_rate)
                                                       .betas(betas)
                                                       .eps(config.epsilon)
                                                       .weight_decay(config.weight_decay));
    case LocalOptimizer::sgd: break;
  }
  return std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(config.learning_rate)
                                                             .momentum(config.momentum)
                                                             .weight_decay(config.weight_decay)
                                                             .nesterov(config.nesterov));
}

}  // namespace

std::vector<float> reference_delta(const std::filesystem::path& archive, const DataConfig& data,
                                   const TrainingConfig& config, std::uint64_t seed) {
  // A LibTorch built with LLVM would spend minutes compiling the small operations of these models.
  const torch::jit::GraphOptimizerEnabledGuard executor(false);
  Module module = torch::jit::load(archive.string());
  module.to(at::kDouble);  // LibTorch's fast float kernels have been wrong before
  module.train();
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> before;
  for (const at::Tensor& parameter : module.parameters()) {
    const bool tied = std::any_of(parameters.begin(), parameters.end(),
                                  [&](const at::Tensor& other) { return other.is_same(parameter); });
    if (!parameter.requires_grad() || tied) continue;
    parameters.push_back(parameter);
    before.push_back(parameter.detach().clone());
  }
  const std::unique_ptr<torch::optim::Optimizer> optimiser = reference_optimizer(parameters, config);

  const auto pair = read_idx_pair({data.images, data.labels});
  if (!pair) throw std::runtime_error(pair.error().text());
  const auto count = static_cast<std::int64_t>(pair->images.example_count());
  const at::Tensor inputs =
      at::from_blob(const_cast<std::uint8_t*>(pair->images.values.data()),
                    {count, 1, pair->images.dimensions[1], pair->images.dimensions[2]}, at::kByte)
          .to(at::kDouble) /
      255;
  const at::Tensor labels =
      at::from_blob(const_cast<std::uint8_t*>(pair->labels.values.data()), {count}, at::kByte).to(at::kLong);

  Random random(seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::uint32_t epoch = 0; epoch < config.epochs; ++epoch) {
    random.shuffle(std::span(order));
    for (std::int64_t begin = 0; begin < count; begin += config.batch_size) {
      const std::int64_t size = std::min<std::int64_t>(config.batch_size, count - begin);
      const at::Tensor index = at::from_blob(order.data() + begin, {size}, at::kLong);
      optimiser->zero_grad();
      const at::Tensor output = module.forward({inputs.index_select(0, index)}).toTensor();
      at::cross_entropy_loss(output, labels.index_select(0, index)).backward();
      if (config.clip_value > 0) torch::nn::utils::clip_grad_value_(parameters, config.clip_value);
      if (config.clip_norm > 0) torch::nn::utils::clip_grad_norm_(parameters, config.clip_norm);
      optimiser->step();
    }
  }
  std::vector<float> out;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor delta = (parameters[i].detach() - before[i]).to(at::kFloat).contiguous();
    out.insert(out.end(), delta.data_ptr<float>(), delta.data_ptr<float>() + delta.numel());
  }
  return out;
}

}  // namespace hansa::learning::testing
