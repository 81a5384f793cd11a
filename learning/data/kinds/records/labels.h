// The labels of the rows of a file as the target "y": classes or real numbers, as a DataConfig says.
#pragma once
#include <string_view>

#include "learning/data/dense_source.h"
#include "learning/data/internal/label_values.h"

namespace hansa::learning::kinds {

class Labels {
 public:
  explicit Labels(const DataConfig& config);

  // The label of the next row.
  [[nodiscard]] internal::ValueOf<void> add(std::string_view text);
  // The number of classes is that of data.classes, or else the largest label + 1.
  [[nodiscard]] TensorSpec target() const;
  [[nodiscard]] bool are_classes() const { return are_classes_; }
  [[nodiscard]] TensorValues take() { return std::move(values_); }

 private:
  const DataConfig& config_;
  bool are_classes_;
  TensorValues values_;
  std::int64_t largest_ = -1;
};

}  // namespace hansa::learning::kinds
