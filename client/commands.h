// The subcommands of hansa-client. Each is registered here and runs after the command line was read.
#pragma once
#include "common/error.h"

namespace CLI {
class App;
}

namespace hansa::client {

// The exit code of the chosen subcommand; empty: none was chosen.
struct CommandOutcome {
  bool chosen = false;
  Result<int> exit_code = 0;
};

void add_accept_command(CLI::App& app, CommandOutcome& outcome);
void add_check_command(CLI::App& app, CommandOutcome& outcome);
void add_join_command(CLI::App& app, CommandOutcome& outcome);
void add_rotate_command(CLI::App& app, CommandOutcome& outcome);

}  // namespace hansa::client
