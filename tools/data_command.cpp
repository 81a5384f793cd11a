// hansa data: `describe` is in describe_command.cpp;
// `partition` splits one data set among clients; `consumed` shows which data a client has consumed.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "client/state/state_store.h"
#include "learning/data/idx_file.h"
#include "tools/learning_commands.h"
#include "tools/json_text.h"
#include "tools/partition.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

struct PartitionOptions {
  learning::IdxPairFiles files;
  std::filesystem::path out;
  PartitionPlan plan;
  OutputForm form = OutputForm::table;
};

void print_json(const PartitionOptions& options, const std::vector<std::vector<std::uint64_t>>& counts) {
  nlohmann::json clients = nlohmann::json::array();
  for (std::uint32_t c = 0; c < options.plan.clients; ++c) {
    const std::string name = client_name(c, options.plan.clients);
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts[c]) total += count;
    clients.push_back({{"client", name},
                       {"examples", total},
                       {"labels", counts[c]},
                       {"images_file", (options.out / name / "images.idx").string()},
                       {"labels_file", (options.out / name / "labels.idx").string()}});
  }
  const nlohmann::json document{{"seed", options.plan.seed}, {"clients", clients}};
  fmt::print("{}\n", json_text(document));
}

void print_table(const PartitionOptions& options, const std::vector<std::vector<std::uint64_t>>& counts) {
  std::vector<Column> columns{{"client", Align::left}};
  const std::size_t labels = counts.front().size();
  for (std::size_t l = 0; l < labels; ++l) columns.push_back({std::to_string(l)});
  columns.push_back({"examples"});
  TextTable table(std::move(columns));
  for (std::uint32_t c = 0; c < options.plan.clients; ++c) {
    std::vector<std::string> row{client_name(c, options.plan.clients)};
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts[c]) {
      row.push_back(count == 0 ? "." : std::to_string(count));
      total += count;
    }
    row.push_back(std::to_string(total));
    table.add_row(std::move(row));
  }
  fmt::print("examples of each label at each client\n{}shards: {}\n", table.text(), options.out.string());
}

Result<void> run_partition(const PartitionOptions& options) {
  HANSA_TRY(const learning::IdxPair data, learning::read_idx_pair(options.files));
  HANSA_TRY(const Shards shards, partition(data.labels.values, options.plan));
  HANSA_TRY_VOID(write_shards(data, shards, options.out));
  const auto counts = count_labels(data.labels.values, shards);
  if (options.form == OutputForm::json) print_json(options, counts);
  else print_table(options, counts);
  return {};
}

struct ConsumedOptions {
  std::filesystem::path state;
  OutputForm form = OutputForm::table;
};

Result<void> run_consumed(const ConsumedOptions& options) {
  HANSA_TRY(const auto state, client::StateStore::open_to_read(options.state));
  HANSA_TRY(auto sources, state->consumed());
  // The topics to which a client has subscribed are no data.
  std::erase_if(sources, [](const client::ConsumedSource& source) {
    const auto position = nlohmann::json::parse(source.position, nullptr, false);
    return source.records == 0 && position.is_object() && position.contains("topics");
  });
  HANSA_TRY(const client::ExampleCounts counts, state->counts());
  if (options.form == OutputForm::json) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& one : sources) {
      nlohmann::json entry{{"source", one.source},
                           {"records", one.records},
                           {"examples", one.examples},
                           {"digest", one.digest.value().text()}};
      // Prints the part of a position that the operator can compare with the source.
      const auto position = nlohmann::json::parse(one.position, nullptr, false);
      for (const char* key : {"offset", "line", "bytes"})
        if (position.is_object() && position.contains(key)) entry[key] = position.at(key);
      list.push_back(std::move(entry));
    }
    fmt::print("{}\n", json_text({{"sources", list},
                                  {"new", counts.fresh},
                                  {"replay", counts.replay},
                                  {"trained", counts.trained}}));
    return {};
  }
  TextTable table(
      {{"source", Align::left}, {"records"}, {"examples"}, {"digest of the records", Align::left}});
  for (const auto& one : sources)
    table.add_row(
        {one.source, std::to_string(one.records), std::to_string(one.examples), one.digest.value().brief()});
  fmt::print("{}examples: {} new, {} in the reservoir, {} trained on\n", table.text(), counts.fresh,
             counts.replay, counts.trained);
  return {};
}

void add_consumed(CLI::App& data, Outcome& outcome) {
  CLI::App* command = data.add_subcommand(
      "consumed", "Show which arriving data a client has consumed, by source; also while it runs");
  command->footer("Example:\n  hansa data consumed sites/client-01/state --json");
  auto options = std::make_shared<ConsumedOptions>();
  command->add_option("STATE", options->state, "The client's state folder, [client] state")->required();
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_consumed(*options); });
}

}  // namespace

void add_data_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* data = hansa.add_subcommand(data_title.name, data_title.description);
  data->require_subcommand(1);
  data->footer(
      "Examples:\n  hansa data describe sites/client-01/client.toml\n  hansa data consumed "
      "sites/client-01/state");
  add_describe_command(*data, outcome);
  CLI::App* command = data->add_subcommand("partition", "Split a data set into one shard for each client");
  command->footer(
      "Example:\n  hansa data partition --images train-images-idx3-ubyte.gz --labels "
      "train-labels-idx1-ubyte.gz \\\n"
      "    --out shards --clients 10 --dirichlet 0.5 --seed 1");
  auto options = std::make_shared<PartitionOptions>();
  command->add_option("--images", options->files.images, "Images, idx3, plain or .gz")->required();
  command->add_option("--labels", options->files.labels, "Labels, idx1, plain or .gz")->required();
  command->add_option("--out", options->out, "Folder for the shards: OUT/client-01/images.idx ...")
      ->required();
  command->add_option("--clients", options->plan.clients, "Number of clients")->required();
  command->add_option("--seed", options->plan.seed, "Equal seeds give equal shards")->capture_default_str();
  CLI::Option_group* kind = command->add_option_group("Method (one of)");
  kind->add_flag_callback(
      "--iid", [options] { options->plan.kind = PartitionKind::iid; }, "Even sizes, at random");
  kind->add_option_function<double>(
          "--dirichlet",
          [options](const double& alpha) {
            options->plan.kind = PartitionKind::dirichlet;
            options->plan.alpha = alpha;
          },
          "Fractions of each label drawn from Dir(ALPHA): smaller is more skewed")
      ->type_name("ALPHA");
  const auto add_labels = [&](const char* name, PartitionKind labels, const char* description) {
    kind->add_option_function<std::uint32_t>(
            name,
            [options, labels](const std::uint32_t& count) {
              options->plan.kind = labels;
              options->plan.labels_per_client = count;
            },
            description)
        ->type_name("K");
  };
  add_labels(
      "--labels-per-client", PartitionKind::labels_per_client,
      "Each client has exactly K different labels; every label has nearly as many clients as the others");
  add_labels("--random-labels", PartitionKind::random_labels,
             "As NIID-Bench: each client has one label in turn and K - 1 at random, so that sizes differ");
  kind->require_option(1);
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_partition(*options); });
  add_consumed(*data, outcome);
}

}  // namespace hansa::tools
