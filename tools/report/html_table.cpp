#include "tools/report/html_table.h"

#include <cassert>

#include <fmt/format.h>

#include "tools/markup.h"

namespace hansa::tools {
namespace {

const char* class_of(CellKind kind) { return kind == CellKind::number ? "number" : "text"; }

}  // namespace

void HtmlTable::add_row(const std::vector<std::string>& cells) {
  assert(cells.size() == columns_.size());
  rows_ += "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i)
    rows_ += i == 0 ? fmt::format("<th scope=\"row\" class=\"{}\">{}</th>", class_of(columns_[i].kind),
                                  escaped(cells[i]))
                    : fmt::format("<td class=\"{}\">{}</td>", class_of(columns_[i].kind), escaped(cells[i]));
  rows_ += "</tr>\n";
}

std::string HtmlTable::html() const {
  std::string head;
  for (const HtmlColumn& column : columns_)
    head +=
        fmt::format("<th scope=\"col\" class=\"{}\">{}</th>", class_of(column.kind), escaped(column.title));
  // The region can be scrolled with the keyboard.
  return fmt::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\">\n<table>\n"
      "<caption>{0}</caption>\n<thead><tr>{1}</tr></thead>\n<tbody>\n{2}</tbody>\n</table>\n</div>\n",
      escaped(caption_), head, rows_);
}

}  // namespace hansa::tools
