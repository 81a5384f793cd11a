// hansa config docs: prints docs/configuration.md from the settings' tables. For maintainers: hidden.
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "client/config/client_schema.h"
#include "server/config/federation_schema.h"
#include "tools/commands.h"

namespace hansa::tools {

void add_config_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand("config", "About configuration files")->group("");
  command->require_subcommand(1);
  CLI::App* docs =
      command->add_subcommand("docs", "Print docs/configuration.md, made from the tables of settings");
  docs->callback([&outcome] {
    fmt::print(
        "# Configuration\n\n"
        "Made by `hansa config docs > docs/configuration.md`; a test compares the two.\n\n"
        "Files are TOML. An unknown key is an error, so that a misspelled one is not taken for its default;\n"
        "errors name file, line, key and what to write instead. A number's unit stands in its key.\n"
        "`hansa new DIR` writes both files with comments.\n\n{}\n{}",
        config::schema_markdown(server::federation_schema()),
        config::schema_markdown(client::client_schema()));
    outcome = {};
  });
}

}  // namespace hansa::tools
