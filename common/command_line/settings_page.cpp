#include "common/command_line/settings_page.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "common/command_line/roff.h"

namespace hansa::command_line {
namespace {

using config::Presence;
using config::Setting;
using config::Table;

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

std::string title(const Table& table) {
  return table.repeated ? fmt::format("[[{}]]", table.name) : fmt::format("[{}]", table.name);
}

// "1 to 1,000 clients"; empty: no limits.
std::string limits(const Setting& setting) {
  std::string out = config::range_text(setting);
  if (!setting.unit.empty()) out += (out.empty() ? "" : " ") + std::string(setting.unit);
  for (const std::string_view choice : setting.choices)
    out += fmt::format("{}\"{}\"", out.empty() ? "" : " or ", choice);
  return out;
}

std::string default_text(const Setting& setting) {
  switch (setting.presence) {
    case Presence::required: return "Required";
    case Presence::optional: return "Optional";
    case Presence::defaulted: return "Default: " + std::string(setting.default_value);
  }
  return "";
}

// Text without the marks of code and links, broken into comment lines.
std::string comment(std::string_view markdown) {
  std::string plain;
  for (std::size_t i = 0; i < markdown.size(); ++i) {
    if (markdown[i] == '`') continue;
    const std::size_t middle = markdown[i] == '[' ? markdown.find("](", i) : std::string_view::npos;
    if (middle != std::string_view::npos && markdown.find(']', i) == middle) {
      plain += markdown.substr(i + 1, middle - i - 1);
      i = markdown.find(')', middle);
      if (i == std::string_view::npos) break;
      continue;
    }
    plain += markdown[i];
  }
  constexpr std::size_t width = 100;
  std::string out, line;
  for (std::size_t begin = 0; begin < plain.size();) {
    const std::size_t end = std::min(plain.find(' ', begin), plain.size());
    const std::string word = plain.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      out += "#" + line + "\n";
      line.clear();
    }
    line += " " + word;
  }
  return line.empty() ? out : out + "#" + line + "\n";
}

}  // namespace

std::string settings_manual(const config::Schema& schema, std::string_view page, std::string_view program,
                            std::string_view version) {
  std::string out =
      fmt::format(".TH {} 5 \"\" \"hansa {}\" \"File Formats\"\n", roff(upper(page)), roff(version));
  out += fmt::format(".SH NAME\n{} \\- configuration of \\fB{}\\fR(1)\n", roff(page), roff(program));
  out += ".SH DESCRIPTION\n" + roff_of_markdown(schema.meaning) +
         "\nThe file is TOML. An unknown key is an error, so that a misspelled key is noticed. The unit of a "
         "number is "
         "part of its key.\n";
  for (const Table& table : schema.tables) {
    out += ".SH \"" + roff(title(table)) + "\"\n" + roff_of_markdown(table.meaning);
    if (table.presence == Presence::optional) out += " The whole table may be left out.";
    out += "\n";
    for (const Setting& setting : table.settings) {
      out += ".TP\n\\fB" + roff(setting.key) + "\\fR\n" + roff_of_markdown(setting.meaning) + "\n.br\n" +
             roff(default_text(setting));
      if (const std::string text = limits(setting); !text.empty()) out += ". Values: " + roff(text);
      out += ". Example: \\fB" + roff(setting.example) + "\\fR\n";
    }
  }
  return out + fmt::format(".SH \"SEE ALSO\"\n\\fB{}\\fR(1)\n", roff(program));
}

std::string settings_example(const config::Schema& schema, std::string_view head) {
  std::string out(head);
  for (const Table& table : schema.tables) {
    out += "\n" + comment(table.meaning) + "#" + title(table) + "\n";
    for (const Setting& setting : table.settings) {
      std::string note = std::string(setting.meaning) + " " + default_text(setting) + ".";
      if (const std::string text = limits(setting); !text.empty()) note += " Values: " + text + ".";
      out += "\n" + comment(note) +
             fmt::format("#{} = {}\n", setting.key,
                         setting.presence == Presence::defaulted ? setting.default_value : setting.example);
    }
  }
  return out;
}

}  // namespace hansa::command_line
