// What arrays with names must be to form examples. The rules are those of data of kind "tensors".
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/error.h"
#include "learning/data/example_shape.h"
#include "learning/data/kinds/arrays/array.h"

namespace hansa::learning::kinds {

inline constexpr std::size_t arrays_max = 16;

// An array named "y", or "y_" with more behind it, is a target.
[[nodiscard]] bool is_target_name(std::string_view name);
// Whether the name can be that of an argument.
[[nodiscard]] bool is_argument_name(std::string_view name);

// The number of examples, at most examples_max (0: all). Fails (data) unless there is an example, and all arrays have the
// same number of them and values.
[[nodiscard]] Result<std::uint64_t> count_examples(std::span<const ArraySpec> arrays,
                                                   const std::string& location, std::uint64_t examples_max);

[[nodiscard]] TensorSpec input_of(const ArraySpec& array);
// Real numbers or class labels, whose class_count is not known yet.
[[nodiscard]] TensorSpec target_of(const ArraySpec& array);

}  // namespace hansa::learning::kinds
