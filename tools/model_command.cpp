// hansa model create | list | inspect | check | export: model archives. model_approval_commands.cpp has sign and
// verify.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "client/config/client_config.h"
#include "common/files.h"
#include "common/metrics_text.h"
#include "common/text.h"
#include "learning/model_archive.h"
#include "learning/model_check.h"
#include "protocols/enrolment/manifest_file.h"
#include "server/evaluation/model_process.h"
#include "server/store/run_catalogue.h"
#include "tools/json_text.h"
#include "tools/learning_commands.h"
#include "tools/metrics_json.h"
#include "tools/run_reference.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

struct CreateOptions {
  std::string name;
  std::filesystem::path out;
  std::uint64_t seed = 1;
  learning::BuiltInSize size;
  bool force = false;  // replace an archive that exists
};

struct InspectOptions {
  std::filesystem::path archive;
  OutputForm form = OutputForm::table;
};

struct CheckOptions {
  std::filesystem::path archive;
  std::filesystem::path client;  // client.toml; empty: check without data
  std::uint32_t batch_size = 32;
  OutputForm form = OutputForm::table;
};

struct ExportOptions {
  std::string run;
  ServedKind kind = ServedKind::global;  // of a client's state
  std::filesystem::path out;
};

std::string shape_text(const ParameterEntry& entry) {
  std::string out;
  for (const std::int64_t dimension : entry.shape)
    out += (out.empty() ? "" : " x ") + std::to_string(dimension);
  return out.empty() ? "scalar" : out;
}

const char* kind_text(ParameterKind kind) {
  return kind == ParameterKind::trainable ? "trainable" : "buffer";
}

Result<void> run_create(const CreateOptions& options) {
  std::error_code error;
  const bool replaces = std::filesystem::exists(options.out, error);
  if (replaces && !options.force)
    return fail(ErrorCode::usage, options.out.string(), "exists already",
                "choose another name, or replace it with --force");
  HANSA_TRY_VOID(learning::create_built_in(options.name, options.seed, options.out, options.size));
  HANSA_TRY(const auto model, learning::describe_archive(options.out));
  fmt::print("{}: {} parameters, archive {}\n", options.out.string(), model.layout.element_count(),
             model.archive.text());
  if (replaces && std::filesystem::exists(enrolment::manifest_path(options.out), error))
    fmt::print(
        "its manifest is of the replaced archive: sign the new one, hansa model sign {} --key "
        "keys/root.key\n",
        options.out.string());
  return {};
}

Result<void> run_list(OutputForm form) {
  if (form == OutputForm::json) {
    nlohmann::json models = nlohmann::json::array();
    for (const auto& model : learning::built_in_models())
      models.push_back({{"name", model.name}, {"description", model.description}});
    fmt::print("{}\n", json_text(models));
    return {};
  }
  TextTable table({{"name", Align::left}, {"description", Align::left}});
  for (const auto& model : learning::built_in_models()) table.add_row({model.name, model.description});
  fmt::print("{}", table.text());
  return {};
}

Result<void> run_inspect(const InspectOptions& options) {
  std::filesystem::path archive = options.archive;
  std::error_code error;
  if (std::filesystem::is_directory(archive, error)) {
    HANSA_TRY(const auto run, server::open_run_read_only(archive));
    HANSA_TRY(archive, run->archive_file());
  }
  HANSA_TRY(const auto model, server::describe_archive_in_child(archive));
  if (options.form == OutputForm::json) {
    nlohmann::json entries = nlohmann::json::array();
    for (const auto& entry : model.layout.entries())
      entries.push_back({{"name", entry.name},
                         {"shape", entry.shape},
                         {"kind", kind_text(entry.kind)},
                         {"offset", entry.offset},
                         {"count", entry.count}});
    const nlohmann::json document{{"archive", model.archive.text()},
                                  {"layout", model.layout.digest().text()},
                                  {"parameters", model.layout.element_count()},
                                  {"has_training_loss", model.has_training_loss},
                                  {"has_metrics", model.has_metrics},
                                  {"entries", entries}};
    fmt::print("{}\n", json_text(document));
    return {};
  }
  TextTable table({{"parameter", Align::left}, {"kind", Align::left}, {"shape", Align::left}, {"count"}});
  for (const auto& entry : model.layout.entries())
    table.add_row({entry.name, kind_text(entry.kind), shape_text(entry), std::to_string(entry.count)});
  fmt::print("{}parameters: {}\ntraining loss: {}\nmetrics: {}\narchive: {}\nlayout: {}\n", table.text(),
             model.layout.element_count(),
             model.has_training_loss ? "defined by the model" : "by the type of the target",
             model.has_metrics ? "defined by the model" : "loss, and accuracy for classes",
             model.archive.text(), model.layout.digest().text());
  return {};
}

// Finds a file of the folder to check the model with.
Result<std::filesystem::path> any_file_of(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.is_regular_file() && !entry.path().filename().string().starts_with('.')) return entry.path();
  return fail(ErrorCode::data, folder.string(), "has no file to check with", "move one there first");
}

Result<void> check(const CheckOptions& options) {
  if (options.client.empty()) {
    HANSA_TRY(const auto model, server::describe_archive_in_child(options.archive));
    if (options.form == OutputForm::json)
      fmt::print("{}\n", json_text({{"fit", true}, {"values", model.layout.element_count()}}));
    else
      fmt::print(
          "fit, as far as can be seen without data: {} values are sent; with --data client.toml one step is "
          "trained\n",
          model.layout.element_count());
    return {};
  }
  HANSA_TRY(const client::ClientConfig client, client::read_client_config(options.client));
  if (client.follow && client.follow->from == learning::FollowFrom::broker)
    return fail(
        ErrorCode::usage, options.client.string(), "follows a broker, from which this command does not read",
        "check with a file of its messages: set [data] file in a copy of client.toml, without follow");
  learning::LocalTrainerConfig config;
  config.data = client.data;
  if (client.follow && client.follow->from == learning::FollowFrom::folder &&
      client.data.class_folders.empty()) {
    HANSA_TRY(config.data.file, any_file_of(client.follow->folder));
  }
  config.threads = client.resources.threads;
  config.memory_bytes_max = client.resources.memory_mib_max << 20;
  HANSA_TRY(const auto result, learning::check_model(options.archive, config, options.batch_size));
  if (options.form == OutputForm::json) {
    fmt::print("{}\n", json_text({{"fit", true},
                                  {"values", result.values},
                                  {"examples", result.examples},
                                  {"trained", metrics_json(result.trained)},
                                  {"evaluated", metrics_json(result.evaluated)},
                                  {"unmoved", result.unmoved},
                                  {"warnings", result.warnings}}));
    return {};
  }
  fmt::print("fit: one step on {} of {} examples was trained ({}), then evaluated ({}); {} values are sent\n",
             std::min<std::uint64_t>(options.batch_size, result.examples), result.examples,
             printable(means_text(result.trained, all_metrics)),
             printable(means_text(result.evaluated, all_metrics)), result.values);
  for (const std::string& warning : result.warnings) fmt::print("warning: {}\n", printable(warning));
  for (const std::string& name : result.unmoved)
    fmt::print("note: no training step changed {}: it has no gradient, or a gradient of zero\n",
               printable(name));
  return {};
}

// Any reason that makes a model unfit ends the command with exit code 2.
Result<void> run_check(const CheckOptions& options) {
  auto result = check(options);
  if (!result) result.error().code = ErrorCode::usage;
  return result;
}

Result<void> run_export(const ExportOptions& options) {
  HANSA_TRY(const auto served, find_served_model(options.run));
  if (served) {
    HANSA_TRY(const std::filesystem::path file, file_of(*served, options.kind));
    HANSA_TRY_VOID(copy_file_atomically(file, options.out));
    fmt::print("{}: the model of round {}, {}\n", options.out.string(), served->round, served->digest);
    return {};
  }
  HANSA_TRY(const RunReference reference, parse_run_reference(options.run));
  HANSA_TRY(const RunModel model, load_run_model(reference));
  HANSA_TRY(const auto personal, learning::personal_names(model.archive, model.layout));
  HANSA_TRY_VOID(learning::save_with_parameters(model.archive, model.parameters, options.out, personal));
  fmt::print("{}: the model of round {}, {}\n", options.out.string(), model.round.value, model.digest.text());
  return {};
}

}  // namespace

void add_model_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* model = hansa.add_subcommand(model_title.name, model_title.description);
  model->require_subcommand(1);
  model->footer(
      "Examples:\n  hansa model list\n  hansa model check model.pt --data sites/client-01/client.toml\n"
      "  hansa model export runs/20260101-120000@20 fashion.pt");

  CLI::App* create = model->add_subcommand("create", "Create a built-in model with random initial weights");
  create->footer(
      "Examples:\n  hansa model create cnn-small model.pt --seed 1\n"
      "  hansa model create logistic model.pt --inputs 30 --classes 2 --force");
  auto create_options = std::make_shared<CreateOptions>();
  create->add_option("NAME", create_options->name, "A name from \"hansa model list\"")->required();
  create->add_option("OUT", create_options->out, "The archive to write")->required();
  create->add_option("--seed", create_options->seed, "Equal seeds give equal weights")->capture_default_str();
  create->add_flag("--force", create_options->force, "Replace OUT if it exists");
  create->add_option("--inputs", create_options->size.inputs,
                     "Input features or channels, if the model's input size can be set");
  create->add_option("--classes", create_options->size.classes, "Outputs (classes)");
  create->callback([create_options, &outcome] { outcome = run_create(*create_options); });

  CLI::App* list = model->add_subcommand("list", "List the built-in models");
  list->footer("Example:\n  hansa model list");
  auto list_form = std::make_shared<OutputForm>(OutputForm::table);
  list->add_flag_callback(
      "--json", [list_form] { *list_form = OutputForm::json; }, "Print JSON");
  list->callback([list_form, &outcome] { outcome = run_list(*list_form); });

  CLI::App* inspect = model->add_subcommand("inspect", "Show the content of a model archive");
  inspect->footer("Example:\n  hansa model inspect model.pt");
  auto inspect_options = std::make_shared<InspectOptions>();
  inspect->add_option("ARCHIVE", inspect_options->archive, "A TorchScript archive, or a run folder")
      ->required();
  inspect->add_flag_callback(
      "--json", [inspect_options] { inspect_options->form = OutputForm::json; }, "Print JSON");
  inspect->callback([inspect_options, &outcome] { outcome = run_inspect(*inspect_options); });

  CLI::App* check = model->add_subcommand("check", "Check whether clients can train an archive");
  check->footer(
      "Trains one step on the client's data as the client would. Ends with 0 if the model is fit, with 2 and "
      "one\n"
      "line if it is not.\n"
      "Example:\n  hansa model check model.pt --data sites/client-01/client.toml");
  auto check_options = std::make_shared<CheckOptions>();
  check->add_option("ARCHIVE", check_options->archive, "A TorchScript archive")->required();
  check->add_option("--data", check_options->client,
                    "A client.toml: the check trains on its [data] within its [resources]");
  check->add_option("--batch-size", check_options->batch_size, "Examples in the step")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  check->add_flag_callback(
      "--json", [check_options] { check_options->form = OutputForm::json; }, "Print JSON");
  check->callback([check_options, &outcome] { outcome = run_check(*check_options); });

  CLI::App* export_command =
      model->add_subcommand("export", "Save a run's or a client's model as an archive that PyTorch loads");
  export_command->footer(
      "Examples:\n  hansa model export runs/fashion-20260101-120000@20 fashion.pt\n"
      "  hansa model export sites/client-01/state -o fashion.pt\n"
      "  python3 -c 'import torch; model = torch.jit.load(\"fashion.pt\")'");
  auto export_options = std::make_shared<ExportOptions>();
  export_command
      ->add_option("RUN", export_options->run,
                   "A run folder, RUN@ROUND (without ROUND: the last round), or a client's state folder")
      ->required();
  export_command->add_option("OUT,-o,--out", export_options->out, "The archive to write")->required();
  export_command->add_flag_callback(
      "--personal", [export_options] { export_options->kind = ServedKind::personal; },
      "Of a client's state: the model with the device's own parameters");
  export_command->callback([export_options, &outcome] { outcome = run_export(*export_options); });

  add_model_approval_commands(*model, outcome);
}

}  // namespace hansa::tools
