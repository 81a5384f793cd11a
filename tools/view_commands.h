// The subcommands of `hansa` that draw a run: as commands.h.
#pragma once
#include "tools/commands.h"

namespace hansa::tools {

void add_plot_command(CLI::App& hansa, Outcome& outcome);
void add_report_command(CLI::App& hansa, Outcome& outcome);
void add_watch_command(CLI::App& hansa, Outcome& outcome);

}  // namespace hansa::tools
