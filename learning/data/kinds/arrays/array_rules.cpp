#include "learning/data/kinds/arrays/array_rules.h"

#include <algorithm>
#include <limits>

#include "common/text.h"

namespace hansa::learning::kinds {
namespace {

TensorSpec spec_of(const ArraySpec& array, ElementType type) {
  return {array.name, type, std::vector<std::int64_t>(array.shape.begin() + 1, array.shape.end()), 0};
}

}  // namespace

bool is_target_name(std::string_view name) { return name == "y" || name.starts_with("y_"); }

bool is_argument_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && is_utf8(name) && printable(name) == name;
}

Result<std::uint64_t> count_examples(std::span<const ArraySpec> arrays, const std::string& location,
                                     std::uint64_t examples_max) {
  const ArraySpec& first = arrays.front();
  for (const auto& [name, type, shape] : arrays) {
    if (shape.empty())
      return fail(ErrorCode::data, location, "has \"" + name + "\" without dimensions",
                  "the first dimension must be the number of examples", {ReasonCode::data_damaged, {}});
    if (shape[0] != first.shape[0])
      return fail(ErrorCode::data, location,
                  "has " + std::to_string(first.shape[0]) + " examples in " + first.name + ", but " +
                      std::to_string(shape[0]) + " in " + name,
                  "save all of them with the same number of examples", {ReasonCode::data_damaged, {}});
    if (shape[0] > 0 && array_bytes(type, shape) == 0)
      return fail(ErrorCode::data, location, "has \"" + name + "\" without a value",
                  "save all of it, or leave it out", {ReasonCode::data_damaged, {}});
  }
  const std::uint64_t count = first.shape[0];
  if (count == 0)
    return fail(ErrorCode::data, location, "holds no example", "give this client examples",
                {ReasonCode::too_few_examples, {}});
  if (count > std::numeric_limits<std::uint32_t>::max())
    return fail(ErrorCode::data, location, "holds more than 4,294,967,295 examples", "split it",
                {ReasonCode::data_too_large, {}});
  return examples_max > 0 ? std::min(count, examples_max) : count;
}

TensorSpec input_of(const ArraySpec& array) { return spec_of(array, input_type(array.type)); }

TensorSpec target_of(const ArraySpec& array) {
  if (is_floating(array.type)) return spec_of(array, ElementType::float32);
  TensorSpec out = spec_of(array, ElementType::int64);
  if (out.shape == std::vector<std::int64_t>{1}) out.shape.clear();
  return out;
}

}  // namespace hansa::learning::kinds
