// The columns of the float32 inputs of an example, which statistics and scaling treat one by one.
//
// A column is an index of an input's first dimension, as a channel is in PyTorch: a value of a row, a column of a
// window, a channel of an image. An input without dimensions has one. Columns are numbered over the inputs in the order of
// their names, so that the order in which a file has them does not matter.
#pragma once
#include <cstddef>
#include <vector>

#include "learning/data/example_shape.h"

namespace hansa::learning {

struct FloatInput {
  std::size_t tensor = 0;  // its index in the shape
  std::size_t first_column = 0;
  std::size_t columns = 0;
  std::size_t values = 0;  // of each column, in one example
};
// Inputs without a value are left out.
[[nodiscard]] std::vector<FloatInput> float_inputs(const ExampleShape& shape);
[[nodiscard]] std::size_t float_columns(const ExampleShape& shape);

}  // namespace hansa::learning
