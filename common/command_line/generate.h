// The hidden option --generate of a program: prints a page or a script that is made from the program's own tables, for
// packages and the documentation.
#pragma once
#include <string_view>

#include "common/command_line/manual_page.h"
#include "common/config/schema.h"

namespace hansa::command_line {

// The configuration file that a program reads.
struct SettingsPages {
  const config::Schema* schema = nullptr;  // null: none
  std::string_view page;  // the name of its manual page: "hansa-client.toml"
  std::string_view example_head;  // comment lines
};

// Adds the option to the app, whose name is the program's: --generate man|markdown|bash|zsh, and, with settings,
// settings-man|settings-example. Parsing it throws CLI::Success with the text, as --version does.
void add_generate_option(CLI::App& app, ManualNotes notes, SettingsPages settings = {});

}  // namespace hansa::command_line
