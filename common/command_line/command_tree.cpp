#include "common/command_line/command_tree.h"

#include <CLI/CLI.hpp>

namespace hansa::command_line {
namespace {

// CLI11 writes them into the name of the type: "TEXT:{auto,live,plain,none}".
std::vector<std::string> choices_of(const std::string& type) {
  const std::size_t begin = type.find(":{");
  const std::size_t end = type.find('}');
  std::vector<std::string> out;
  if (begin == std::string::npos || end == std::string::npos) return out;
  std::string rest = type.substr(begin + 2, end - begin - 2);
  for (std::size_t comma = 0; (comma = rest.find(',')) != std::string::npos; rest.erase(0, comma + 1))
    out.push_back(rest.substr(0, comma));
  out.push_back(rest);
  return out;
}

Option describe(const CLI::Option& option) {
  Option out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (option.get_positional())
    out.argument = option.get_name(true).substr(0, option.get_name(true).find(','));
  if (option.get_items_expected_max() != 0) {
    const std::string type = option.get_type_name();
    out.choices = choices_of(type);
    out.value = type.substr(0, type.find(':'));
    if (out.value.empty()) out.value = "TEXT";
  }
  out.default_value = option.get_default_str();
  out.meaning = option.get_description();
  out.required = option.get_required();
  return out;
}

void add_options(const CLI::App& app, Command& out) {
  for (const CLI::Option* option : app.get_options()) {
    const bool is_help_of_group = app.get_name().empty() && option == app.get_help_ptr();
    if (!option->get_group().empty() && !is_help_of_group) out.options.push_back(describe(*option));
  }
  // A group of options is an app without a name. It has a --help of its own, which is not shown.
  for (const CLI::App* group :
       app.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); }))
    add_options(*group, out);
}

Command describe_below(const CLI::App& app, const std::string& above) {
  Command out;
  out.name = app.get_name();
  out.path = above.empty() ? out.name : above + " " + out.name;
  out.meaning = app.get_description();
  out.footer = app.get_footer();
  add_options(app, out);
  for (const CLI::App* command : app.get_subcommands(
           [](const CLI::App* sub) { return !sub->get_name().empty() && !sub->get_group().empty(); }))
    out.commands.push_back(describe_below(*command, out.path));
  return out;
}

}  // namespace

Command describe(const CLI::App& app) { return describe_below(app, ""); }

std::vector<Option> arguments_of(const Command& command) {
  std::vector<Option> out;
  for (const Option& option : command.options)
    if (!option.argument.empty()) out.push_back(option);
  return out;
}

}  // namespace hansa::command_line
