// What the label of a row means, for kinds with rows. Pure functions.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::learning::internal {

// Why a value is refused: an error without its location.
struct InvalidValue {
  std::string what;
  std::string hint;
  ReasonCode reason = ReasonCode::value_invalid;
};
template <class T>
using ValueOf = tl::expected<T, InvalidValue>;

// The position in classes; without classes, a whole number from 0 to 1,000,000.
[[nodiscard]] ValueOf<std::int64_t> class_of(std::string_view text, std::span<const std::string> classes);
// A number within float32.
[[nodiscard]] ValueOf<float> real_of(std::string_view text);

[[nodiscard]] bool fits_float(double value);
// A short, single-line form for messages.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace hansa::learning::internal
