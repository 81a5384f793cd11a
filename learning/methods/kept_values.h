// What methods keep on the device from task to task (TrainingRequest::kept), read back. Torch-free.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "common/parameter_layout.h"
#include "learning/kept_vectors.h"

namespace hansa::learning {

// The vector of this name, if it was kept for this layout and has its size and finite values; empty otherwise: then the
// method begins again. Refers to the vectors.
[[nodiscard]] inline std::span<const float> find_kept_values(const KeptVectors& kept, std::string_view name,
                                                             const ParameterLayout& layout) {
  const auto found = kept.find(std::string(name));
  if (found == kept.end() || found->second.of() != layout.digest()) return {};
  const std::vector<float>& values = found->second.values();
  const bool is_valid = values.size() == layout.element_count() &&
                        std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
  return is_valid ? std::span<const float>(values) : std::span<const float>();
}

}  // namespace hansa::learning
