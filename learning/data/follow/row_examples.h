// Converts arriving rows to examples: one for each row (csv), or one for each window that a row completes (windows).
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
  // Groups whose rows are kept for later windows. For a further one, that whose last row is oldest is forgotten: the
  // program that writes the data could otherwise make the state grow without end.
  static constexpr std::size_t groups_max = 10'000;

  // `columns` is the number of inputs of a row.
  RowExamples(const DataConfig& config, std::size_t columns);

  // A missing value counts as 0, which is the rule missing = "zero". The other rules filter such rows before.
  void add(const CsvRow& row);
  // Records that a row was skipped: windows of its group do not span the gap.
  void leave_out(const std::string& group) { series_.erase(group); }
  // The same for a row whose group is not known.
  void leave_out_all() { series_.clear(); }
  // Returns the examples completed since the last call.
  [[nodiscard]] Examples take();

  // The rows that later windows need, as JSON. restore() of it in a new object continues from the same point.
  [[nodiscard]] nlohmann::json carry() const;
  [[nodiscard]] bool restore(const nlohmann::json& carry);

 private:
  // The rows of one group since its last skipped row, starting with the next window's first.
  struct Series {
    std::uint64_t turn = 0;  // of its last row
    std::uint64_t to_skip = 0;  // rows before the next window's first, if the stride leaves gaps
    std::deque<std::vector<float>> rows;
  };

  [[nodiscard]] Examples empty() const;
  void give_window(const Series& series, const CsvRow& last);
  void give_target(const CsvRow& row);

  DataConfig config_;
  std::size_t columns_;
  std::size_t reach_ = 0;  // rows from a window's first to its label; 0: each row is an example
  std::map<std::string, Series> series_;  // at most groups_max
  std::uint64_t turn_ = 0;
  Examples examples_;
};

}  // namespace hansa::learning::internal
