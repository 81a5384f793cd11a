// Examples from rows as they come: an example a row (csv), or one for each window that a row completes (windows).
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "learning/data/dense_source.h"
#include "learning/data/internal/csv_rows.h"

namespace hansa::learning::internal {

class RowExamples {
 public:
  // columns: inputs of a row.
  RowExamples(const DataConfig& config, std::size_t columns);

  // A value that is missing counts as 0, as missing = "zero" says; another rule let no such row pass.
  void add(const CsvRow& row);
  // A row was left out: windows of its group do not reach across it.
  void leave_out(const std::string& group) { series_.erase(group); }
  // The examples since the last call.
  [[nodiscard]] Examples take();

  // Rows that windows to come will need, as JSON; restore() of it in a new object goes on where this one stands.
  [[nodiscard]] nlohmann::json carry() const;
  [[nodiscard]] bool restore(const nlohmann::json& carry);

 private:
  // Rows of one group since the last that was left out, from the start of the next window on.
  struct Series {
    std::uint64_t to_skip = 0;  // rows before the next window, where windows leave gaps
    std::deque<std::vector<float>> rows;
  };

  [[nodiscard]] Examples empty() const;
  void give_window(const Series& series, const CsvRow& last);
  void give_target(const CsvRow& row);

  DataConfig config_;
  std::size_t columns_;
  std::size_t reach_ = 0;  // rows from a window's first to its label; 0: examples are rows
  std::map<std::string, Series> series_;
  Examples examples_;
};

}  // namespace hansa::learning::internal
