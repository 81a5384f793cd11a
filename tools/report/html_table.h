// A table of a report: with a caption, headers of columns and rows, and escaped cells.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace hansa::tools {

enum class CellKind : std::uint8_t { text, number };
struct HtmlColumn {
  std::string title;
  CellKind kind = CellKind::number;
};

class HtmlTable {
 public:
  HtmlTable(std::string caption, std::vector<HtmlColumn> columns)
      : caption_(std::move(caption)), columns_(std::move(columns)) {}
  // A row must have one cell for each column. Its first cell is the row's header. Cells are escaped.
  void add_row(const std::vector<std::string>& cells);
  [[nodiscard]] std::string html() const;

 private:
  std::string caption_;
  std::vector<HtmlColumn> columns_;
  std::string rows_;
};

}  // namespace hansa::tools
