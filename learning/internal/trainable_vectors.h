// What methods do with vectors of the layout: their values in the order in which the optimiser sees the weights, and the
// values that a training may change. Includes LibTorch.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "common/parameter_layout.h"
#include "learning/internal/model.h"

namespace hansa::learning {

// The values of each of the model's trainables, in the order of its memory. A personal parameter, which the layout does not
// have, has none. values: of the layout.
[[nodiscard]] std::vector<std::vector<float>> by_trainable(const Model& model, std::span<const float> values);

// Calls work(i) for each value of the layout that belongs to a trainable parameter. Buffers are left out.
template <class Work>
void for_trained_values(const ParameterLayout& layout, const Work& work) {
  for (const ParameterEntry& entry : layout.entries())
    if (entry.kind == ParameterKind::trainable)
      for (std::size_t i = entry.offset; i < entry.offset + entry.count; ++i) work(i);
}

}  // namespace hansa::learning
