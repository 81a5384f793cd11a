#include "learning/data/internal/array_column.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/text.h"

namespace hansa::learning::internal {
namespace {

std::string text_of_shape(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

// An integer that float32 cannot hold. Integers beyond 2^24 usually name something, so that the nearest one is wrong.
std::optional<InvalidValue> inexact(std::span<const std::int64_t> integers, const std::string& where) {
  constexpr std::uint64_t significand_max = std::uint64_t{1} << 24U;
  const auto found = std::ranges::find_if(integers, [](std::int64_t value) {
    const std::uint64_t magnitude =
        value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    return magnitude > significand_max && magnitude >> std::countr_zero(magnitude) > significand_max;
  });
  if (found == integers.end()) return std::nullopt;
  return InvalidValue{
      where + " the integer " + std::to_string(*found) + ", which float32 cannot hold exactly",
      "write all values of the column as integers, or this one with a fraction (" + std::to_string(*found) +
          ".0) if it may be rounded"};
}

}  // namespace

InvalidValue beyond_float(const std::string& text) {
  return {text + ", which is not a finite float32", "correct the line"};
}

std::optional<InvalidValue> check_sequence_name(const std::string& name,
                                                std::span<const std::string> columns) {
  for (const char* end : {"_length", "_mask"})
    if (std::ranges::find(columns, name + end) != columns.end())
      return InvalidValue{"is a sequence, and there is a column \"" + printable(name) + end +
                              "\", which is the name of an input that says what is there",
                          "rename one of the two"};
  return std::nullopt;
}

ArrayColumn::ArrayColumn(std::string name, std::vector<std::int64_t> shape)
    : spec_{std::move(name), ElementType::int64, std::move(shape), 0},
      values_(no_values(ElementType::int64)) {}

ArrayColumn ArrayColumn::sequence(std::string name, std::vector<std::int64_t> shape, std::uint32_t length) {
  shape[0] = length;
  ArrayColumn out(std::move(name), std::move(shape));
  out.is_sequence_ = true;
  return out;
}

std::optional<InvalidValue> ArrayColumn::check_shape(std::span<const std::int64_t> shape) const {
  const std::span<const std::int64_t> wanted = spec_.shape;
  if (!is_sequence_) {
    if (std::ranges::equal(shape, wanted)) return std::nullopt;
    return InvalidValue{
        "has the shape " + text_of_shape(shape) + ", but " + text_of_shape(wanted) + " in the first line",
        "correct the line; if lengths differ, name the column in data.sequences"};
  }
  if (shape.size() != wanted.size() || !std::ranges::equal(shape.subspan(1), wanted.subspan(1)))
    return InvalidValue{"has the shape " + text_of_shape(shape) + ", but only the first size may differ",
                        "correct the line"};
  if (shape[0] > wanted[0])
    return InvalidValue{
        "has " + std::to_string(shape[0]) + " values, and data.length is " + std::to_string(wanted[0]),
        "raise data.length on all clients, or cut the sequence"};
  return std::nullopt;
}

std::optional<InvalidValue> ArrayColumn::add(const NumberArrayView& array) {
  if (auto problem = check_shape(array.shape)) return problem;
  if (auto problem = add_values(array)) return problem;
  if (!is_sequence_) return std::nullopt;
  lengths_.push_back(array.shape[0]);
  std::visit([&](auto& values) { values.resize(lengths_.size() * spec_.elements()); }, values_);
  return std::nullopt;
}

std::optional<InvalidValue> ArrayColumn::add_values(const NumberArrayView& array) {
  if (spec_.type == ElementType::int64 && array.integers.size() == array.reals.size()) {
    auto& to = std::get<std::vector<std::int64_t>>(values_);
    to.insert(to.end(), array.integers.begin(), array.integers.end());
    return std::nullopt;
  }
  if (!std::ranges::all_of(array.reals, fits_float)) return beyond_float("has a number");
  if (auto problem = inexact(array.integers, "has")) return problem;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&values_)) {
    if (auto problem = inexact(*integers, "has a fraction, and an earlier line")) return problem;
    std::vector<float> reals(integers->begin(), integers->end());
    spec_.type = ElementType::float32;
    values_ = std::move(reals);
  }
  auto& to = std::get<std::vector<float>>(values_);
  for (const double real : array.reals) to.push_back(static_cast<float>(real));
  return std::nullopt;
}

void ArrayColumn::move_to(Examples& examples) {
  const std::string name = spec_.name;
  const std::int64_t length = is_sequence_ ? spec_.shape[0] : 0;
  examples.shape.inputs.push_back(std::move(spec_));
  examples.tensors.push_back(std::move(values_));
  if (!is_sequence_) return;
  std::vector<std::uint8_t> mask(lengths_.size() * static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < lengths_.size(); ++i)
    std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(i) * length, lengths_[i], std::uint8_t{1});
  examples.shape.inputs.push_back({name + "_length", ElementType::int64, {}, 0});
  examples.tensors.emplace_back(std::move(lengths_));
  examples.shape.inputs.push_back({name + "_mask", ElementType::boolean, {length}, 0});
  examples.tensors.emplace_back(std::move(mask));
}

}  // namespace hansa::learning::internal
