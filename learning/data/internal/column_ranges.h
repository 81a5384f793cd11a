// What the columns hold, over rows as they are read: before missing values are replaced and columns scaled.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "common/data_description.h"

namespace hansa::learning::internal {

class ColumnRanges {
 public:
  // NaN: the value is missing.
  void add(std::span<const double> row) {
    ranges_.resize(std::max(ranges_.size(), row.size()), {HUGE_VAL, -HUGE_VAL});
    missing_.resize(ranges_.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (std::isnan(row[i])) {
        ++missing_[i];
        continue;
      }
      ranges_[i].least = std::min(ranges_[i].least, row[i]);
      ranges_[i].most = std::max(ranges_[i].most, row[i]);
    }
  }
  void skip_row() { ++rows_skipped_; }
  [[nodiscard]] const std::vector<std::uint64_t>& missing() const { return missing_; }
  [[nodiscard]] std::uint64_t rows_skipped() const { return rows_skipped_; }
  // Empty if a column has no value, or there was no row.
  [[nodiscard]] std::vector<ValueRange> ranges() const {
    const auto is_empty = [](const ValueRange& range) { return range.least > range.most; };
    return std::ranges::any_of(ranges_, is_empty) ? std::vector<ValueRange>() : ranges_;
  }

 private:
  std::vector<ValueRange> ranges_;
  std::vector<std::uint64_t> missing_;
  std::uint64_t rows_skipped_ = 0;
};

}  // namespace hansa::learning::internal
