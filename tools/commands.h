// The subcommands of `hansa`. Each file tools/NAME_command.cpp adds its own to the program by one of
// these functions; what it does when called lands in the Outcome.
#pragma once
#include <functional>

#include "common/error.h"

namespace CLI {
class App;
}

namespace hansa::tools {

// What the chosen subcommand came to. A callback of the command line sets it; main reads it.
using Outcome = Result<void>;

void add_config_command(CLI::App& hansa, Outcome& outcome);
void add_data_command(CLI::App& hansa, Outcome& outcome);
void add_evaluate_command(CLI::App& hansa, Outcome& outcome);
void add_keys_command(CLI::App& hansa, Outcome& outcome);
void add_model_command(CLI::App& hansa, Outcome& outcome);
void add_new_command(CLI::App& hansa, Outcome& outcome);
void add_simulate_command(CLI::App& hansa, Outcome& outcome);
void add_status_command(CLI::App& hansa, Outcome& outcome);

// The whole program: reads the command line, runs one subcommand, tells errors on stderr.
// Returns the exit code (docs/exit-codes.md).
[[nodiscard]] int run_hansa(int argc, char** argv);

}  // namespace hansa::tools
