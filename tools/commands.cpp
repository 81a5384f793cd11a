#include "tools/commands.h"

#include <algorithm>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/command_line/generate.h"
#include "common/program.h"
#include "common/spelling.h"
#include "common/version/version.h"
#include "protocols/messages/type.h"
#include "tools/learning_commands.h"
#include "tools/view_commands.h"

namespace hansa::tools {
namespace {

// Suggests the nearest subcommand for an unknown word: CLI11 only reports an unexpected argument. `title` is the
// command so far: "hansa keys".
Result<void> check_command_words(CLI::App& app, const std::string& title,
                                 const std::vector<std::string>& words) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty() || words.empty() || words.front().starts_with('-')) return {};
  std::vector<std::string> known;
  for (CLI::App* command : commands) {
    if (command->get_name() == words.front())
      return check_command_words(*command, title + " " + words.front(), {words.begin() + 1, words.end()});
    if (!command->get_group().empty())
      known.push_back(command->get_name());  // hidden commands are not suggested
  }
  // The word may be an argument: hansa runs mine.
  const bool takes_arguments =
      !app.get_options([](const CLI::Option* option) { return option->get_positional(); }).empty();
  const auto near = nearest_word(words.front(), known);
  if (takes_arguments && !(near && words.size() > 1)) return {};
  return fail(ErrorCode::usage, "", "\"" + title + " " + words.front() + "\" is not a command",
              near ? "did you mean \"" + title + " " + *near + "\"?" : "\"" + title + " --help\" lists them");
}

Result<int> run_checked(int argc, char** argv, const LearningCommands& learning) {
  CLI::App app("Hansa, federated learning for edge devices: the operator's tool.", "hansa");
  app.set_version_flag("--version", version_text("hansa", messages::protocol_version));
  command_line::add_generate_option(
      app,
      {version(), {"hansa-aggregator(1)", "hansa-client(1)", "federation.toml(5)", "hansa-client.toml(5)"}});
  app.require_subcommand(1);
  app.footer(
      "Example, to start:\n  hansa new mine --clients hospital-a,hospital-b,hospital-c\n"
      "  hansa new fashion --example fashion-mnist\n  hansa simulate fashion/federation.toml");
  Outcome outcome;
  learning.add_new(app, outcome);
  add_client_command(app, outcome);
  add_kit_command(app, outcome);
  add_invite_command(app, outcome);
  add_approve_command(app, outcome);
  add_devices_command(app, outcome);
  add_audit_command(app, outcome);
  add_keys_command(app, outcome);
  learning.add_model(app, outcome);
  learning.add_data(app, outcome);
  learning.add_contract(app, outcome);
  learning.add_simulate(app, outcome);
  add_runs_command(app, outcome);
  add_status_command(app, outcome);
  add_dashboard_command(app, outcome);
  add_watch_command(app, outcome);
  add_plot_command(app, outcome);
  add_report_command(app, outcome);
  add_export_metrics_command(app, outcome);
  add_verify_command(app, outcome);
  learning.add_evaluate(app, outcome);
  add_config_command(app, outcome);
  add_strategies_command(app, outcome);

  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  HANSA_TRY_VOID(check_command_words(app, "hansa", words));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    // CLI11 also throws for --help and --version, with code 0.
    return app.exit(stop) == 0 ? 0 : exit_code(ErrorCode::usage);
  }
  HANSA_TRY_VOID(std::move(outcome));
  return 0;
}

}  // namespace

int run_hansa(int argc, char** argv, const LearningCommands& learning) {
  return run_program("hansa", [&] { return run_checked(argc, argv, learning); });
}

}  // namespace hansa::tools
