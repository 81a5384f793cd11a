// Where a model's values are in its archive: the record of each tensor, and the tensor's strides in it. Without LibTorch.
//
// LibTorch knows the places (learning/find_value_places.h), in a process that a model's code may have taken over. Whoever
// uses them checks them against the archive's directory (learning/archive_copy.h).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/parameter_layout.h"

namespace hansa::learning {

// The place of one tensor of float32. All numbers are counts of values, not of bytes.
struct ValuePlace {
  std::string record;  // "data/0"
  std::uint64_t offset = 0;  // of the first value in the record
  std::vector<std::uint64_t> strides;  // as many as the tensor has dimensions
};

struct PlacedLayout {
  ParameterLayout layout;
  std::vector<ValuePlace>
      places;  // one for each entry of the layout; that of an entry without values is ignored
};

struct ValuePlaces {
  PlacedLayout shared;  // the layout that the federation trains
  PlacedLayout personal;  // the parameters that stay on the device
};

// One line for each place: "data/0 0 25 1".
[[nodiscard]] std::string text_of(const std::vector<ValuePlace>& places);
// Reads what text_of() writes. Fails (model) on any other text, and unless there is a place with the right number of
// strides for each entry of the layout.
[[nodiscard]] Result<std::vector<ValuePlace>> parse_places(std::string_view text,
                                                           const ParameterLayout& layout,
                                                           const std::string& location);

}  // namespace hansa::learning
