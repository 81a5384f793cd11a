#include "common/command_line/markdown_page.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

namespace hansa::command_line {
namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

std::size_t end_of_name(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_name_character(text[begin])) ++begin;
  return begin;
}

// The length of "docs/NAME.md" or "docs/NAME.md#ANCHOR" at the start of the text; 0: it is no page.
std::size_t page_length(std::string_view text) {
  constexpr std::string_view folder = "docs/", suffix = ".md";
  if (!text.starts_with(folder)) return 0;
  std::size_t end = end_of_name(text, folder.size());
  if (!text.substr(end).starts_with(suffix)) return 0;
  end += suffix.size();
  if (text.substr(end).starts_with('#')) {
    const std::size_t end_of_anchor = end_of_name(text, end + 1);
    if (end_of_anchor > end + 1) end = end_of_anchor;
  }
  return end;
}

// Plain text: what Markdown or a table would read as its own is escaped, and pages are linked.
std::string markdown(std::string_view text) {
  constexpr std::string_view special = "\\`*_<[]|";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t length = page_length(text.substr(i)); length > 0) {
      const std::string_view page = text.substr(i + 5, length - 5);
      out += fmt::format("[{}]({})", page.substr(0, page.find('#')), page);
      i += length;
      continue;
    }
    if (special.find(text[i]) != std::string_view::npos) out += '\\';
    out += text[i] == '\n' ? ' ' : text[i];
    ++i;
  }
  return out;
}

std::string sentence(std::string_view text) {
  return markdown(text) + (text.empty() || text.ends_with('.') ? "" : ".");
}

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string synopsis(const Command& command) {
  std::string out = command.path;
  if (!command.commands.empty()) out += " COMMAND";
  out += " [OPTIONS]";
  for (const Option& argument : arguments_of(command))
    out += argument.required ? " " + argument.argument : " [" + argument.argument + "]";
  return out;
}

bool is_help(const Option& option) {
  return std::find(option.names.begin(), option.names.end(), "--help") != option.names.end();
}

std::string row(const Option& option) {
  std::string names = option.argument.empty() ? "" : code(option.argument);
  for (const std::string& name : option.names)
    names += (names.empty() ? "" : ", ") + code(option.value.empty() ? name : name + " " + option.value);
  std::string meaning = markdown(option.meaning), choices;
  for (const std::string& choice : option.choices) choices += (choices.empty() ? "" : ", ") + code(choice);
  if (!choices.empty()) meaning += fmt::format("; one of {}", choices);
  if (!option.default_value.empty()) meaning += fmt::format("; default: {}", code(option.default_value));
  if (option.required) meaning += "; required";
  return fmt::format("| {} | {} |\n", names, meaning);
}

std::string options_table(const Command& command) {
  std::string rows;
  for (const Option& option : arguments_of(command)) rows += row(option);
  for (const Option& option : command.options)
    if (option.argument.empty() && !is_help(option)) rows += row(option);
  return rows.empty() ? "" : "\n| argument or option | meaning |\n| --- | --- |\n" + rows;
}

// Indented lines become a block of code, others paragraphs.
std::string notes(std::string_view footer) {
  std::string out;
  bool in_code = false;
  while (!footer.empty()) {
    const std::size_t end = footer.find('\n');
    const std::string_view line = footer.substr(0, end);
    footer = end == std::string_view::npos ? std::string_view() : footer.substr(end + 1);
    const bool indented = line.starts_with("  ");
    if (indented != in_code) out += indented ? "\n```\n" : "```\n";
    in_code = indented;
    if (indented) out += std::string(line.substr(2)) + "\n";
    else if (!line.empty()) out += "\n" + markdown(line) + "\n";
  }
  return in_code ? out + "```\n" : out;
}

std::string section(const Command& command, std::string_view heading) {
  std::string out = fmt::format("{} {}\n\n{}\n\n```\n{}\n```\n", heading, command.path,
                                sentence(command.meaning), synopsis(command));
  out += options_table(command) + notes(command.footer);
  for (const Command& below : command.commands) out += "\n" + section(below, "###");
  return out;
}

}  // namespace

std::string markdown_page(const Command& program) { return section(program, "##"); }

}  // namespace hansa::command_line
