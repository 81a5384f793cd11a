// hansa-bench-sandbox: the time of a whole training, as the client's engine calls it, in this process and in
// hansa-trainer, in turns. Both open the same data and train the same archive with the same seed.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <stdlib.h>

#include "client/trainer/process_trainer.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"

namespace hansa {
namespace {

struct Options {
  std::string model = "cnn-small";
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  std::uint64_t examples = 12'800;
  std::uint32_t batch_size = 32;
  int turns = 11;
  std::filesystem::path archive;  // the file for the built-in model
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Seconds of one training, its start and its result included.
Result<double> train_once(learning::Trainer& trainer, const learning::TrainingRequest& request,
                          std::span<const float> model, std::span<float> delta) {
  const auto start = std::chrono::steady_clock::now();
  HANSA_TRY_VOID(train_on(trainer, request, model, delta));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<void> measure(const Options& options) {
  HANSA_TRY_VOID(learning::create_built_in(options.model, 1, options.archive));
  HANSA_TRY(const auto model, learning::describe_archive(options.archive));

  learning::LocalTrainerConfig local;
  local.data.images = options.data / "train-images-idx3-ubyte.gz";
  local.data.labels = options.data / "train-labels-idx1-ubyte.gz";
  local.data.examples_max = options.examples;
  client::ProcessTrainerConfig outside;
  outside.data = local.data;
  const auto in_process = learning::make_local_trainer(local);
  client::ProcessTrainer child(outside, Logger());

  TrainingConfig training;
  training.batch_size = options.batch_size;
  learning::TrainingRequest request{options.archive, model.layout.digest(), sgd_method(training)};
  request.seed = 1;
  std::vector<float> delta(model.parameters.size());
  std::vector<double> inside_s, child_s, ratios;
  for (int turn = -1; turn < options.turns; ++turn) {
    HANSA_TRY(const double inside, train_once(*in_process, request, model.parameters, delta));
    HANSA_TRY(const double in_child, train_once(child, request, model.parameters, delta));
    if (turn < 0) continue;  // opens the data, loads the archive
    inside_s.push_back(inside);
    child_s.push_back(in_child);
    ratios.push_back(in_child / inside);
  }
  fmt::print(
      "{} values, {} examples: in-process {:.2f} ms, child {:.2f} ms, child over in-process: {:.3f} "
      "(median)\n",
      delta.size(), options.examples, 1e3 * median(inside_s), 1e3 * median(child_s), median(ratios));
  return {};
}

int run(const Options& options) {
  const auto measured = measure(options);
  if (measured) return 0;
  fmt::print(stderr, "hansa-bench-sandbox: {}\n", measured.error().text());
  return exit_code(measured.error().code);
}

}  // namespace
}  // namespace hansa

int main(int argc, char** argv) {
  CLI::App app("Compares a training in this process with one in the locked child process");
  hansa::Options options;
  app.add_option("--model", options.model, "built-in model")->capture_default_str();
  app.add_option("--data", options.data, "folder of the Fashion-MNIST idx files")->capture_default_str();
  app.add_option("--examples", options.examples, "examples per epoch")->capture_default_str();
  app.add_option("--batch-size", options.batch_size, "examples per step")->capture_default_str();
  app.add_option("--turns", options.turns, "trainings of each kind")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::string folder = (std::filesystem::temp_directory_path() / "hansa-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    fmt::print(stderr, "hansa-bench-sandbox: {} cannot be created\n", folder);
    return 8;
  }
  options.archive = std::filesystem::path(folder) / "model.pt";
  const int code = hansa::run(options);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
