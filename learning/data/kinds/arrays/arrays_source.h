// A data source whose tensors are arrays.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "learning/data/data_source.h"
#include "learning/data/kinds/arrays/array.h"

namespace hansa::learning::kinds {

struct NamedArrays {
  std::vector<Array> inputs;  // at least one
  std::vector<Array> targets;
};

// The first `count` examples of the arrays, which have the shapes that count_examples() has checked. Checks all values
// once. Fails (data), naming the example, on NaN, an infinite value, an integer beyond int64, and a label below 0 other
// than ignored_label.
[[nodiscard]] Result<std::unique_ptr<DataSource>> make_arrays_source(const std::string& location,
                                                                     NamedArrays arrays, std::uint64_t count);

}  // namespace hansa::learning::kinds
