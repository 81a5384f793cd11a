#include "learning/data/float_columns.h"

#include <algorithm>

namespace hansa::learning {

std::vector<FloatInput> float_inputs(const ExampleShape& shape) {
  std::vector<FloatInput> out;
  for (std::size_t t = 0; t < shape.inputs.size(); ++t) {
    const TensorSpec& spec = shape.inputs[t];
    if (spec.type != ElementType::float32 || spec.elements() == 0) continue;
    const std::size_t columns = spec.shape.empty() ? 1 : static_cast<std::size_t>(spec.shape.front());
    out.push_back({t, 0, columns, spec.elements() / columns});
  }
  std::ranges::sort(out, {}, [&](const FloatInput& input) { return shape.inputs[input.tensor].name; });
  std::size_t first = 0;
  for (FloatInput& input : out) {
    input.first_column = first;
    first += input.columns;
  }
  return out;
}

std::size_t float_columns(const ExampleShape& shape) {
  std::size_t out = 0;
  for (const FloatInput& input : float_inputs(shape)) out += input.columns;
  return out;
}

}  // namespace hansa::learning
