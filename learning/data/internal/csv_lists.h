// Lists of numbers in a cell of a CSV file, as programs write them: "1 5 9", "[1, 5, 9]", "{1,5,9}". Pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "learning/data/internal/label_values.h"

namespace hansa::learning::internal {

struct NumberList {
  std::vector<double> reals;
  std::vector<std::int64_t> integers;  // as many as reals, if all are written as integers within int64
};

// Replaces `list` by the numbers of the cell, which are separated by blanks, or by one comma, semicolon or bar each, within
// square or curly brackets or without. Returns why the cell is refused: it has no number, something that is none, or one
// beyond float32 that is no integer.
[[nodiscard]] std::optional<InvalidValue> read_list(std::string_view cell, NumberList& list);

}  // namespace hansa::learning::internal
