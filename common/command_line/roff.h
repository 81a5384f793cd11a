// Text of a manual page: man(7). Header-only.
#pragma once
#include <string>
#include <string_view>

namespace hansa::command_line {

// Escapes what troff would read as its own: backslashes, hyphens (which it may otherwise break or print as another
// character), and a dot or an apostrophe at the start of a line.
[[nodiscard]] inline std::string roff(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else out += c;
    at_start = c == '\n';
  }
  return out;
}

// Text with `code`, which becomes bold, and [links](page.md), of which the text is left.
[[nodiscard]] inline std::string roff_of_markdown(std::string_view text) {
  std::string out, plain;
  bool code = false;
  const auto take_plain = [&] {
    out += roff(plain);
    plain.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t middle = !code && text[i] == '[' ? text.find("](", i) : std::string_view::npos;
    const std::size_t end = middle == std::string_view::npos ? middle : text.find(')', middle);
    if (text[i] == '`') {
      take_plain();
      code = !code;
      out += code ? "\\fB" : "\\fR";
    } else if (end != std::string_view::npos && text.find(']', i) == middle) {
      plain += text.substr(i + 1, middle - i - 1);
      i = end;
    } else {
      plain += text[i];
    }
  }
  take_plain();
  return out;
}

// Examples and notes under a command: indented lines are shown as they are, others are paragraphs.
[[nodiscard]] inline std::string roff_of_footer(std::string_view footer) {
  std::string out;
  bool raw = false;
  while (!footer.empty()) {
    const std::size_t end = footer.find('\n');
    const std::string_view line = footer.substr(0, end);
    footer = end == std::string_view::npos ? std::string_view() : footer.substr(end + 1);
    const bool indented = line.starts_with("  ");
    if (indented && !raw) out += ".PP\n.nf\n.RS 4\n";
    if (!indented && raw) out += ".RE\n.fi\n";
    if (!indented && !line.empty()) out += ".PP\n";
    raw = indented;
    if (!line.empty()) out += roff(indented ? line.substr(2) : line) + "\n";
  }
  return raw ? out + ".RE\n.fi\n" : out;
}

}  // namespace hansa::command_line
