#include "tools/report/parts.h"

#include <fmt/format.h>

#include "common/terminal_text.h"
#include "common/text.h"
#include "tools/markup.h"

namespace hansa::tools {
namespace {

constexpr std::size_t text_characters_max = 160;  // of a cell that a client wrote

}  // namespace

std::string section(const std::string& id, const std::string& title, const std::string& content,
                    const char* kind) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\"{3}>\n<h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
      id, escaped(title), content, kind);
}

std::string paragraph(const std::string& text) { return "<p>" + escaped(text) + "</p>\n"; }

std::string short_text(const std::string& text) { return clipped(printable(text), text_characters_max); }

void Facts::add(const std::string& term, const std::string& fact) {
  html_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(term), escaped(clipped(printable(fact), 400)));
}

std::uint64_t sum_at_most_max(std::uint64_t a, std::uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

}  // namespace hansa::tools
