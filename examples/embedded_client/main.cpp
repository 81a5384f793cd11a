// A federated client inside a program: its own data source, its own torch::nn::Module.
//
//   embedded_client client.toml
#include <cmath>
#include <cstdio>

#include <torch/torch.h>

#include "client/embed/client.h"
#include "common/program.h"
#include "common/random.h"
#include "learning/data/dense_source.h"
#include "learning/module_trainer.h"

using namespace hansa;

// The federation's model is the built-in "mlp". This module has the same names and shapes, with code of its own.
struct Net : torch::nn::Module {
  Net() {
    fc1 = register_module("fc1", torch::nn::Linear(2, 128));
    fc2 = register_module("fc2", torch::nn::Linear(128, 2));
  }
  torch::Tensor forward(torch::Tensor x) { return fc2(torch::tanh(fc1(x.flatten(1)))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

// kind = "spirals": two arms of a spiral; each device has its own section of each. options: the device's number.
Result<std::unique_ptr<learning::DataSource>> open_spirals(const learning::DataConfig& config) {
  const int device = std::atoi(config.options.c_str());
  Random random(derive_seed(1, "spirals", static_cast<std::uint64_t>(device)));
  learning::Examples examples(learning::one_input({2}, learning::class_target(2)));
  std::vector<float>& points = examples.values<float>(0);
  for (int i = 0; i < 400; ++i) {
    const double turn = (device % 4) * 0.8 + random.uniform() * 2.4, radius = 0.2 + turn / 5;
    const double angle = turn + (i % 2) * M_PI;
    points.push_back(static_cast<float>(radius * std::cos(angle) + 0.02 * random.normal()));
    points.push_back(static_cast<float>(radius * std::sin(angle) + 0.02 * random.normal()));
    examples.values<std::int64_t>(1).push_back(i % 2);
  }
  return std::make_unique<learning::DenseSource>("spirals", std::move(examples));
}

Result<int> run(int argc, char** argv) {
  if (argc != 2) return fail(ErrorCode::usage, "embedded_client", "takes one argument, a client.toml");
  HANSA_TRY_VOID(learning::register_data_kind("spirals", open_spirals));
  HANSA_TRY(const auto config, client::read_client_config(argv[1]));
  const auto net = std::make_shared<Net>();
  client::Options options;
  options.make_trainer = [&](const learning::LocalTrainerConfig& parts) {
    return learning::make_module_trainer(learning::own_module(net), parts);
  };
  HANSA_TRY_VOID(client::run(config, options, stop_on_signals()));
  const auto weight = net->fc2->weight.norm().item<float>();
  std::printf("the module holds what it learnt last: |fc2.weight| = %.3f\n", static_cast<double>(weight));
  return 0;
}

int main(int argc, char** argv) {
  return run_program("embedded_client", [&] { return run(argc, argv); });
}
