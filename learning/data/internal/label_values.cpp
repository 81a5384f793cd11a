#include "learning/data/internal/label_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "learning/data/internal/csv_values.h"

namespace hansa::learning::internal {
namespace {

constexpr std::int64_t class_index_max = 1'000'000;

tl::unexpected<InvalidValue> unknown_class(std::string what, std::string hint) {
  return tl::unexpected(InvalidValue{std::move(what), std::move(hint), ReasonCode::class_unknown});
}

}  // namespace

bool fits_float(double value) {
  return std::isfinite(value) && std::abs(value) <= double{std::numeric_limits<float>::max()};
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"" + std::string(text.substr(0, 40)) + (text.size() > 40 ? "...\"" : "\"");
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

ValueOf<std::int64_t> class_of(std::string_view text, std::span<const std::string> classes) {
  if (!classes.empty()) {
    const auto found = std::ranges::find(classes, text);
    if (found != classes.end()) return found - classes.begin();
    return unknown_class("is " + in_quotes(text) + ", which is not in data.classes",
                         "add it there on all clients, or correct the row");
  }
  const auto value = number_of(text);
  if (!value)
    return unknown_class("is " + in_quotes(text) + ", which is not a number",
                         "list the labels in data.classes, the same list on all clients");
  if (*value < 0 || *value > double{class_index_max} || *value != std::floor(*value))
    return unknown_class(
        "is " + in_quotes(text) + ", but a class is a whole number from 0",
        *value == std::floor(*value)
            ? "for classes such as -1 and 1 set data.classes = [\"-1\", \"1\"]; to predict a number, set "
              "data.target = \"real\""
            : "to predict a number, set data.target = \"real\"");
  return static_cast<std::int64_t>(*value);
}

ValueOf<float> real_of(std::string_view text) {
  const auto value = number_of(text);
  if (!value || !fits_float(*value))
    return tl::unexpected(
        InvalidValue{"is " + in_quotes(text) + ", which is not a number", "correct the row"});
  return static_cast<float>(*value);
}

}  // namespace hansa::learning::internal
