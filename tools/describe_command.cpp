// hansa data describe: what a client's data looks like.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "client/config/client_config.h"
#include "client/state/client_data.h"
#include "learning/data_supply.h"
#include "tools/commands.h"
#include "tools/data_summary.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

struct DescribeOptions {
  std::filesystem::path client;
  OutputForm form = OutputForm::table;
};

// Reads the data as the client would. Of data that arrives, what has arrived by now. Changes nothing on the device.
Result<DataSummary> summary_of(const client::ClientConfig& config) {
  if (config.follow && config.follow->from == learning::FollowFrom::broker)
    return fail(ErrorCode::usage, config.file.string(),
                "follows a broker, from which this command does not read",
                "describe a file of its messages: set [data] file in a copy of client.toml, without follow");
  HANSA_TRY(const auto data,
            client::open_client_data(config, client::KeepState::in_memory, learning::open_examples,
                                     learning::supply_data(config.data)));
  if (data.followed) HANSA_TRY_VOID(data.followed->take_all());
  HANSA_TRY(const learning::AvailableData available, data.supply->available());
  HANSA_TRY(const learning::TrainingData opened, data.supply->open(TaskId(1)));
  return summarise(*opened.source,
                   available.description ? *available.description : opened.source->description());
}

Result<void> run_describe(const DescribeOptions& options) {
  HANSA_TRY(const client::ClientConfig config, client::read_client_config(options.client));
  HANSA_TRY(const DataSummary summary, summary_of(config));
  fmt::print("{}{}", options.form == OutputForm::json ? json_of(summary) : text_of(summary),
             options.form == OutputForm::json ? "\n" : "");
  return {};
}

}  // namespace

void add_describe_command(CLI::App& data, Outcome& outcome) {
  CLI::App* command = data.add_subcommand(
      "describe", "Show a client's data: tensors, values, labels, missing values and memory");
  command->footer("Example:\n  hansa data describe sites/client-01/client.toml");
  auto options = std::make_shared<DescribeOptions>();
  command->add_option("CLIENT.TOML", options->client, "The client's configuration")->required();
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_describe(*options); });
}

}  // namespace hansa::tools
