// hansa evaluate: a model on labelled examples.
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "client/config/client_config.h"
#include "learning/evaluation.h"
#include "tools/commands.h"
#include "tools/metrics_json.h"
#include "tools/run_reference.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

struct EvaluateOptions {
  std::string model;
  std::filesystem::path images;
  std::filesystem::path labels;
  std::filesystem::path client;  // client.toml, in place of images and labels
  int threads = 1;
  OutputForm form = OutputForm::table;
};

Result<learning::DataConfig> choose_data(const EvaluateOptions& options) {
  if (!options.client.empty()) {
    HANSA_TRY(client::ClientConfig client, client::read_client_config(options.client));
    return std::move(client.data);
  }
  if (options.images.empty() || options.labels.empty())
    return fail(ErrorCode::usage, "hansa evaluate", "needs data",
                "give --images and --labels, or --data client.toml");
  learning::DataConfig data;
  data.images = options.images;
  data.labels = options.labels;
  return data;
}

Result<void> run_evaluate(const EvaluateOptions& options) {
  HANSA_TRY(const learning::DataConfig data, choose_data(options));
  // A file is an archive with its own weights; anything else is a run.
  RunModel model;
  std::error_code error;
  if (std::filesystem::is_regular_file(options.model, error)) {
    model.archive = options.model;
  } else {
    HANSA_TRY(const RunReference reference, parse_run_reference(options.model));
    HANSA_TRY(model, load_run_model(reference));
  }
  HANSA_TRY(const auto evaluator, learning::make_evaluator(model.archive, data, options.threads));
  HANSA_TRY(const Metrics metrics, evaluator->evaluate(model.parameters));

  if (options.form == OutputForm::json) {
    fmt::print("{}\n", metrics_json(metrics).dump(2));
    return {};
  }
  TextTable table({{"metric", Align::left}, {"mean"}, {"examples"}});
  for (const Metric& metric : metrics)
    table.add_row({metric.name, metric.count > 0 ? fmt::format("{:.4f}", metric.sum / metric.count) : "-",
                   fmt::format("{:.0f}", metric.count)});
  fmt::print("{}", table.text());
  return {};
}

}  // namespace

void add_evaluate_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand("evaluate", "Measure a model on labelled examples");
  command->footer(
      "Examples:\n  hansa evaluate runs/20260101-120000 --images t10k-images-idx3-ubyte.gz "
      "--labels t10k-labels-idx1-ubyte.gz\n"
      "  hansa evaluate runs/20260101-120000@5 --data clients/client-01.toml");
  auto options = std::make_shared<EvaluateOptions>();
  command->add_option("MODEL", options->model, "A model archive, a run folder, or RUN@ROUND")->required();
  CLI::Option* images = command->add_option("--images", options->images, "Images, idx3, plain or .gz");
  CLI::Option* labels = command->add_option("--labels", options->labels, "Labels, idx1, plain or .gz");
  command->add_option("--data", options->client, "A client.toml, whose data is used")
      ->excludes(images)
      ->excludes(labels);
  command->add_option("--threads", options->threads, "Threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_evaluate(*options); });
}

}  // namespace hansa::tools
