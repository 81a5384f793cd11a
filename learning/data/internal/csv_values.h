// The values in the cells of a CSV file: numbers, and the words that stand for a missing one. Pure functions.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hansa::learning::internal {

// Whether the cell, without blanks around it, has no value: it is empty, or a word with which programs write a missing
// number, in any case (NA, NaN, null, None, and those of C, pandas, MySQL and Excel, such as -nan(ind), <NA>, \N and #N/A),
// or one of `words`, exactly.
[[nodiscard]] bool is_missing(std::string_view cell, std::span<const std::string> words);

// A decimal number, with one sign at most. A magnitude below the smallest double is 0. Empty for anything else, also for a
// number that is too large, and for inf and nan.
[[nodiscard]] std::optional<double> number_of(std::string_view cell);

}  // namespace hansa::learning::internal
