#include "common/command_line/manual_page.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/command_line/roff.h"

namespace hansa::command_line {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string placeholder(const Option& option) {
  if (option.value.empty()) return "";
  std::string choices;
  for (const std::string& choice : option.choices) choices += (choices.empty() ? "" : "|") + choice;
  return choices.empty() ? option.value : choices;
}

std::string synopsis(const Command& command) {
  std::string out = "\\fB" + roff(command.path) + "\\fR";
  if (!command.commands.empty()) out += " \\fICOMMAND\\fR";
  out += " [\\fIOPTIONS\\fR]";
  for (const Option& argument : arguments_of(command)) {
    const std::string name = "\\fI" + roff(argument.argument) + "\\fR";
    out += argument.required ? " " + name : " [" + name + "]";
  }
  return out + "\n";
}

std::string option_text(const Option& option) {
  std::string names;
  if (!option.argument.empty()) names = "\\fI" + roff(option.argument) + "\\fR";
  for (const std::string& name : option.names) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + roff(name) + "\\fR");
    if (!option.value.empty()) names += " \\fI" + roff(placeholder(option)) + "\\fR";
  }
  std::string out = ".TP\n" + names + "\n" + roff(option.meaning);
  if (!option.default_value.empty()) out += " (default: " + roff(option.default_value) + ")";
  if (option.required && option.argument.empty()) out += " (required)";
  return out + "\n";
}

std::string options_text(const Command& command) {
  std::string out;
  for (const Option& option : arguments_of(command)) out += option_text(option);
  for (const Option& option : command.options)
    if (option.argument.empty()) out += option_text(option);
  return out;
}

std::string commands_text(const Command& command) {
  std::string out;
  for (const Command& below : command.commands) {
    out += ".SS " + roff(below.path) + "\n" + synopsis(below) + ".PP\n" + roff(below.meaning) + ".\n";
    out += options_text(below) + roff_of_footer(below.footer);
    out += commands_text(below);
  }
  return out;
}

constexpr std::string_view exit_status =
    ".SH \"EXIT STATUS\"\n"
    "0: success. 1: a bug of Hansa. 2: the command line or a configuration file is wrong. 3: a data file.\n"
    "4: a model archive. 5: the peer refused this program. 6: the network. 7: the protocol. 8: a file or\n"
    "database cannot be read or written. 9: memory, disk space or a limit. 10: too few clients. Above 128: "
    "a\n"
    "signal ended the program.\n";

}  // namespace

std::string manual_page(const Command& program, const ManualNotes& notes) {
  std::string out = fmt::format(".TH {} 1 \"\" \"hansa {}\" \"User Commands\"\n", roff(upper(program.name)),
                                roff(notes.version));
  out += fmt::format(
      ".SH NAME\n{} \\- {}\n", roff(program.name),
      roff(std::string_view(program.meaning).substr(0, program.meaning.find_last_not_of('.') + 1)));
  out += ".SH SYNOPSIS\n" + synopsis(program);
  out += ".SH OPTIONS\n" + options_text(program);
  if (!program.commands.empty()) out += ".SH COMMANDS\n" + commands_text(program);
  out += ".SH EXAMPLES\n" + roff_of_footer(program.footer);
  out += exit_status;
  out +=
      ".SH ENVIRONMENT\n.TP\n\\fBHANSA_LOG\\fR\nThe log level, if there is no option \\-\\-log\\-level: "
      "debug, info, "
      "warning, error or off.\n"
      ".TP\n\\fBHANSA_LOG_FORMAT\\fR\nThe format of the log, if there is no option \\-\\-log\\-format: text "
      "or json.\n";
  if (!notes.see_also.empty()) {
    out += ".SH \"SEE ALSO\"\n";
    std::string pages;
    for (const std::string_view page : notes.see_also) {
      const std::size_t bracket = page.find('(');
      pages += fmt::format("{}\\fB{}\\fR{}", pages.empty() ? "" : ",\n", roff(page.substr(0, bracket)),
                           page.substr(bracket));
    }
    out += pages + "\n";
  }
  return out;
}

}  // namespace hansa::command_line
