// The subcommands of `hansa`. Each file tools/NAME_command.cpp registers its own with one of these functions and writes
// the command's result to the Outcome.
#pragma once
#include <functional>

#include "common/error.h"

namespace CLI {
class App;
}

namespace hansa::tools {

// The result of the chosen subcommand: its callback writes it, and main reads it.
using Outcome = Result<void>;

void add_approve_command(CLI::App& hansa, Outcome& outcome);
void add_audit_command(CLI::App& hansa, Outcome& outcome);
void add_client_command(CLI::App& hansa, Outcome& outcome);
void add_config_command(CLI::App& hansa, Outcome& outcome);
void add_contract_command(CLI::App& hansa, Outcome& outcome);
void add_dashboard_command(CLI::App& hansa, Outcome& outcome);
void add_data_command(CLI::App& hansa, Outcome& outcome);
void add_describe_command(CLI::App& data, Outcome& outcome);
void add_devices_command(CLI::App& hansa, Outcome& outcome);
void add_evaluate_command(CLI::App& hansa, Outcome& outcome);
void add_export_metrics_command(CLI::App& hansa, Outcome& outcome);
void add_invite_command(CLI::App& hansa, Outcome& outcome);
void add_keys_command(CLI::App& hansa, Outcome& outcome);
void add_keys_rotate_commands(CLI::App& keys, Outcome& outcome);
void add_kit_command(CLI::App& hansa, Outcome& outcome);
void add_model_command(CLI::App& hansa, Outcome& outcome);
void add_model_approval_commands(CLI::App& model, Outcome& outcome);
void add_new_command(CLI::App& hansa, Outcome& outcome);
void add_runs_command(CLI::App& hansa, Outcome& outcome);
void add_simulate_command(CLI::App& hansa, Outcome& outcome);
void add_status_command(CLI::App& hansa, Outcome& outcome);
void add_strategies_command(CLI::App& hansa, Outcome& outcome);
void add_verify_command(CLI::App& hansa, Outcome& outcome);

}  // namespace hansa::tools
