// hansa-bench-training: measures the production trainer, one epoch for each line on stdin.
//
// It prints the samples per second of each epoch. compare.py alternates it with the Python loop on the same machine,
// within the same minutes.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <stdlib.h>

#include "learning/local_trainer.h"
#include "learning/model_archive.h"

namespace {

using hansa::learning::LocalTrainerConfig;
using hansa::learning::TrainingRequest;

struct Options {
  std::string model = "cnn-small";
  std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";
  std::uint64_t examples = 12'800;
  std::uint32_t batch_size = 32;
  double learning_rate = 0.05;
  std::string method = "sgd";
  std::uint32_t accumulate = 1;
  bool bfloat16 = false;
  std::filesystem::path archive;  // the file for the built-in model
};

int fail(const hansa::Error& error) {
  fmt::print(stderr, "hansa-bench-training: {}\n", error.text());
  return hansa::exit_code(error.code);
}

int run(const Options& options) {
  if (const auto made = hansa::learning::create_built_in(options.model, 1, options.archive); !made)
    return fail(made.error());
  const auto model = hansa::learning::describe_archive(options.archive);
  if (!model) return fail(model.error());

  LocalTrainerConfig config;
  config.data.images = options.folder / "train-images-idx3-ubyte.gz";
  config.data.labels = options.folder / "train-labels-idx1-ubyte.gz";
  config.data.examples_max = options.examples;
  const auto trainer = hansa::learning::make_local_trainer(config);
  hansa::TrainingConfig training;
  training.batch_size = options.batch_size;
  training.learning_rate = options.learning_rate;
  training.accumulate = options.accumulate;
  training.bfloat16 = options.bfloat16;
  if (options.method == "adam") training.optimizer = hansa::LocalOptimizer::adam;
  if (options.method == "adamw") training.optimizer = hansa::LocalOptimizer::adamw;
  TrainingRequest request{
      options.archive, model->layout.digest(), {options.method, hansa::training_options(training)}};
  request.seed = 1;

  std::vector<float> weights = model->parameters;
  std::vector<float> delta(weights.size());
  for (std::string line; std::getline(std::cin, line); ++request.seed) {
    const auto result = train_on(*trainer, request, weights, delta);
    if (!result) return fail(result.error());
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += delta[i];
    const auto& loss = result->metrics.at(0);
    fmt::print("{:.1f} {:.4f}\n", static_cast<double>(result->samples) / result->train_seconds,
               loss.sum / loss.count);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Measures local training: trains one epoch for each line on stdin, and prints \"SAMPLES_PER_SECOND "
      "LOSS\"");
  Options options;
  app.add_option("--model", options.model, "built-in model")->capture_default_str();
  app.add_option("--data", options.folder, "folder of the Fashion-MNIST idx files")->capture_default_str();
  app.add_option("--examples", options.examples, "examples per epoch")->capture_default_str();
  app.add_option("--batch-size", options.batch_size, "examples per step")->capture_default_str();
  app.add_option("--learning-rate", options.learning_rate, "learning rate")->capture_default_str();
  app.add_option("--method", options.method, "sgd, adam or adamw")->capture_default_str();
  app.add_option("--accumulate", options.accumulate, "parts of a batch")->capture_default_str();
  app.add_flag("--bfloat16", options.bfloat16, "mixed precision");
  CLI11_PARSE(app, argc, argv);

  std::string folder = (std::filesystem::temp_directory_path() / "hansa-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    return fail({hansa::ErrorCode::storage, folder, "cannot be created", ""});
  options.archive = std::filesystem::path(folder) / "model.pt";
  const int code = run(options);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
