// Collects the values of a JSON array of numbers as they are read, and its shape.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "learning/data/kinds/jsonl/object_reader.h"

namespace hansa::learning::kinds {

class NumberArray {
 public:
  // Into `to`, which outlives it.
  explicit NumberArray(JsonValue& to) : to_(&to) {}
  // They return why the array is refused.
  [[nodiscard]] std::optional<internal::InvalidValue> begin();  // of the array, or of an array inside it
  [[nodiscard]] std::optional<internal::InvalidValue> end();
  // integer: empty if the number is none.
  [[nodiscard]] std::optional<internal::InvalidValue> add(double real, std::optional<std::int64_t> integer);

 private:
  JsonValue* to_;
  std::vector<std::int64_t> counts_;  // elements of each array that is open
  std::size_t number_depth_ = 0;  // arrays around each number; 0: there was none
};

}  // namespace hansa::learning::kinds
