// hansa-client accept: takes the operator's statement about the federation's keys from a file.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/config/client_config.h"
#include "client/config/client_variables.h"
#include "client/keys/accepted_keys.h"
#include "common/utc.h"
#include "protocols/enrolment/key_statements.h"

namespace hansa::client {
namespace {

struct AcceptOptions {
  std::filesystem::path config, statements;
};

Result<int> run_accept(const AcceptOptions& options) {
  ::umask(077);  // the state folder may be created
  HANSA_TRY(const auto variables, read_client_variables(environ));
  HANSA_TRY(const auto config, read_client_config(options.config, variables));
  HANSA_TRY(const auto statements, enrolment::read_statements(options.statements));
  HANSA_TRY(AcceptedKeys keys, AcceptedKeys::open(config));
  HANSA_TRY(const Acceptance done, keys.accept(statements, utc_seconds_now()));
  std::printf("%s\n", done == Acceptance::accepted ? text_of_accepted(statements).c_str()
                                                   : "nothing new: this was accepted before");
  return 0;
}

}  // namespace

void add_accept_command(CLI::App& app, CommandOutcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "accept", "Accept the operator's file about changed keys of the aggregator or of the root");
  command->footer(
      "Example, for a device that was away while the aggregator changed its key:\n"
      "  hansa-client accept client.toml statements\n\n"
      "A client that is connected gets the same from the aggregator. The file is signed by the federation's "
      "root key.");
  auto options = std::make_shared<AcceptOptions>();
  command->add_option("FILE", options->config, "client.toml")->required();
  command->add_option("STATEMENTS", options->statements, "The file \"statements\" of the federation")
      ->required();
  command->callback([options, &outcome] { outcome = {true, run_accept(*options)}; });
}

}  // namespace hansa::client
