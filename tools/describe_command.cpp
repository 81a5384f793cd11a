// hansa data describe: what a client's data looks like.
#include <filesystem>
#include <memory>
#include <span>
#include <utility>
#include <vector>

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
  Reading examples = Reading::some;
};

// The notes say why nothing could be used.
tl::unexpected<Error> without_examples(Error error, std::span<const Error> notes) {
  for (const Error& note : notes) error.hint += (error.hint.empty() ? "" : "; ") + note.text();
  return tl::unexpected<Error>(std::move(error));
}

// Reads the data as the client would. Of data that arrives, what has arrived by now. Changes nothing on the device.
Result<DataSummary> summary_of(const client::ClientConfig& config, Reading reading) {
  if (config.follow && config.follow->from == learning::FollowFrom::broker)
    return fail(ErrorCode::usage, config.file.string(),
                "follows a broker, from which this command does not read",
                "describe a file of its messages: set [data] file in a copy of client.toml, without follow");
  HANSA_TRY(const auto data,
            client::open_client_data(config, client::KeepState::in_memory, learning::open_examples,
                                     learning::supply_data(config.data)));
  if (data.followed) HANSA_TRY_VOID(data.followed->take_all());
  const std::vector<Error> notes = data.followed ? data.followed->take_notes() : std::vector<Error>();
  auto available = data.supply->available();
  if (!available) return without_examples(std::move(available.error()), notes);
  HANSA_TRY(const learning::TrainingData opened, data.supply->open(TaskId(1)));
  HANSA_TRY(
      DataSummary out,
      summarise(*opened.source,
                available->description ? *available->description : opened.source->description(), reading));
  out.notes = notes;
  return out;
}

Result<void> run_describe(const DescribeOptions& options) {
  HANSA_TRY(const client::ClientConfig config, client::read_client_config(options.client));
  HANSA_TRY(const DataSummary summary, summary_of(config, options.examples));
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
      "--all", [options] { options->examples = Reading::all; },
      "Read each image and each sound, to list all that are damaged, instead of 1,000 of them");
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_describe(*options); });
}

}  // namespace hansa::tools
