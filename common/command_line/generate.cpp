#include "common/command_line/generate.h"

#include <utility>

#include <CLI/CLI.hpp>

#include "common/command_line/completion.h"
#include "common/command_line/markdown_page.h"
#include "common/command_line/settings_page.h"

namespace hansa::command_line {

void add_generate_option(CLI::App& app, ManualNotes notes, SettingsPages settings) {
  const auto text_of = [&app, notes = std::move(notes), settings](const std::string& what) -> std::string {
    const Command program = describe(app);
    if (what == "man") return manual_page(program, notes);
    if (what == "markdown") return markdown_page(program);
    if (what == "bash") return bash_completion(program);
    if (what == "zsh") return zsh_completion(program);
    if (what == "settings-man")
      return settings_manual(*settings.schema, settings.page, program.name, notes.version);
    return settings_example(*settings.schema, settings.example_head);
  };
  std::vector<std::string> known{"man", "markdown", "bash", "zsh"};
  if (settings.schema != nullptr) known.insert(known.end(), {"settings-man", "settings-example"});
  app.add_option_function<std::string>(
         "--generate",
         [text_of](const std::string& what) {
           std::string text = text_of(what);
           if (text.ends_with('\n')) text.pop_back();  // CLI11 adds one
           throw CLI::CallForVersion(text, 0);
         },
         "Print a page or a completion script")
      ->check(CLI::IsMember(known))
      ->group("");
}

}  // namespace hansa::command_line
