// Tables for terminals. Programs use --json.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace hansa::tools {

enum class Align : std::uint8_t { left, right };
enum class OutputForm : std::uint8_t { table, json };

struct Column {
  std::string title;
  Align align = Align::right;
};

class TextTable {
 public:
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // A row must have one cell for each column.
  void add_row(std::vector<std::string> cells);
  // Columns are separated by two spaces; lines have no trailing spaces.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// 1,495,000 as "1.5 MB" (powers of 1,000).
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace hansa::tools
