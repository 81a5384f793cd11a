// hansa evaluate: evaluates a model on labelled examples.
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "client/config/client_config.h"
#include "common/files.h"
#include "common/metrics_text.h"
#include "learning/evaluation.h"
#include "learning/model_archive.h"
#include "server/config/federation_config.h"
#include "tools/learning_commands.h"
#include "tools/json_text.h"
#include "tools/metrics_json.h"
#include "tools/run_reference.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

constexpr std::size_t config_bytes_max = 1 << 20;

struct EvaluateOptions {
  std::string model;
  std::filesystem::path images;
  std::filesystem::path labels;
  std::filesystem::path config;  // its [data] is used instead of --images and --labels
  ServedKind kind = ServedKind::global;  // of a client's state
  int threads = 1;
  OutputForm form = OutputForm::table;
};

Result<learning::DataConfig> choose_data(const EvaluateOptions& options) {
  if (!options.config.empty()) {
    HANSA_TRY(const std::string text, read_text_file(options.config, config_bytes_max));
    if (text.starts_with("[client]") || text.find("\n[client]") != std::string::npos) {
      HANSA_TRY(client::ClientConfig client, client::read_client_config(options.config));
      return std::move(client.data);
    }
    HANSA_TRY(server::FederationConfig federation, server::read_federation_config(options.config));
    if (!federation.evaluation)
      return fail(ErrorCode::usage, options.config.string(), "has no held-out data",
                  "set [evaluation] images and labels, or use --images and --labels");
    return std::move(*federation.evaluation);
  }
  if (options.images.empty() || options.labels.empty())
    return fail(ErrorCode::usage, "hansa evaluate", "needs data",
                "name a federation.toml or client.toml, or use --images and --labels");
  learning::DataConfig data;
  data.images = options.images;
  data.labels = options.labels;
  return data;
}

Result<void> run_evaluate(const EvaluateOptions& options) {
  HANSA_TRY(learning::DataConfig data, choose_data(options));
  // A file is an archive with its own weights; anything else is a run, or a client's state.
  RunModel model;
  std::error_code error;
  HANSA_TRY(const auto served, find_served_model(options.model));
  if (served) {
    HANSA_TRY(model.archive, file_of(*served, options.kind));
  } else if (std::filesystem::is_regular_file(options.model, error)) {
    model.archive = options.model;
  } else {
    HANSA_TRY(const RunReference reference, parse_run_reference(options.model));
    HANSA_TRY(model, load_run_model(reference));
  }
  if (data.scale == learning::Scaling::federation && model.statistics.empty())
    return fail(ErrorCode::usage, options.config.string(),
                "has data that is scaled by the federation's statistics, and " + options.model + " has none",
                "evaluate a model of a run: RUN@ROUND");
  std::vector<std::string> personal;
  if (!model.parameters.empty()) {
    HANSA_TRY(personal, learning::personal_names(model.archive, model.layout));
  }
  HANSA_TRY(const auto evaluator,
            learning::make_evaluator(model.archive, data, options.threads, personal, model.statistics));
  HANSA_TRY(const Metrics metrics, evaluator->evaluate(model.parameters));
  if (const std::string warning = evaluator->warning(); !warning.empty())
    fmt::print(stderr, "warning: {}\n", warning);

  if (options.form == OutputForm::json) {
    fmt::print("{}\n", json_text(metrics_json(metrics)));
    return {};
  }
  TextTable table({{"metric", Align::left}, {"mean"}, {"examples"}});
  for (const Metric& metric : metrics)
    table.add_row({metric.name, mean_text(metric), fmt::format("{:.0f}", metric.count)});
  fmt::print("{}", table.text());
  return {};
}

}  // namespace

void add_evaluate_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(evaluate_title.name, evaluate_title.description);
  command->footer(
      "Examples:\n  hansa evaluate runs/fashion-20260101-120000@5 federation.toml\n"
      "  hansa evaluate model.pt sites/client-01/client.toml\n"
      "  hansa evaluate sites/client-01/state sites/client-01/client.toml\n"
      "  hansa evaluate model.pt --images t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz");
  auto options = std::make_shared<EvaluateOptions>();
  command
      ->add_option("MODEL", options->model,
                   "A model archive, a run folder, RUN@ROUND, or a client's state folder")
      ->required();
  CLI::Option* images = command->add_option("--images", options->images, "Images, idx3, plain or .gz");
  CLI::Option* labels = command->add_option("--labels", options->labels, "Labels, idx1, plain or .gz");
  command
      ->add_option("DATA", options->config,
                   "A federation.toml (uses its [evaluation]) or a client.toml (uses its [data])")
      ->excludes(images)
      ->excludes(labels);
  command->add_option("--threads", options->threads, "Number of threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag_callback(
      "--personal", [options] { options->kind = ServedKind::personal; },
      "Of a client's state: the model with the device's own parameters");
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_evaluate(*options); });
}

}  // namespace hansa::tools
