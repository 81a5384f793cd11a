// What methods keep on the device from task to task (TrainingRequest::kept), read back. Torch-free.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/parameter_layout.h"
#include "learning/kept_vectors.h"

namespace hansa::learning {

// The vector of this name, if it was kept for `of` and has `count` finite values; empty otherwise: then the method begins
// again. Refers to the vectors.
[[nodiscard]] inline std::span<const float> find_kept_values(const KeptVectors& kept, std::string_view name,
                                                             const Digest& of, std::size_t count) {
  const auto found = kept.find(std::string(name));
  if (found == kept.end() || found->second.of() != of) return {};
  const std::vector<float>& values = found->second.values();
  const bool is_valid =
      values.size() == count && std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
  return is_valid ? std::span<const float>(values) : std::span<const float>();
}

// The same of a vector that was kept for this layout.
[[nodiscard]] inline std::span<const float> find_kept_values(const KeptVectors& kept, std::string_view name,
                                                             const ParameterLayout& layout) {
  return find_kept_values(kept, name, layout.digest(), layout.element_count());
}

}  // namespace hansa::learning
