// Reads the values of some columns from a JSON object, without building the rest of it in memory.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/error.h"
#include "learning/data/internal/label_values.h"

namespace hansa::learning::kinds {

struct JsonValue {
  enum class Form : std::uint8_t { absent, null, boolean, number, text, array };
  Form form = Form::absent;
  double number = 0;  // of a number or a boolean
  std::string text;  // of a text; of a number or a boolean as it is written
  // Of an array of numbers, which is rectangular and has at least one value.
  std::vector<std::int64_t> shape;
  std::vector<double> reals;
  std::vector<std::int64_t> integers;  // as many as reals, if all values are written as integers within int64
};

// Why an object is refused.
struct InvalidObject {
  internal::InvalidValue problem;
  std::optional<std::size_t> column;  // of the names; empty: it is none of them
};

inline constexpr std::size_t json_nesting_max = 64;
inline constexpr std::size_t json_dimensions_max = 8;

// How to treat a key that is none of the names.
enum class OtherKeys : std::uint8_t { passed, refused };

// One thread at a time.
class ObjectReader {
 public:
  // names: each once.
  explicit ObjectReader(std::span<const std::string> names, OtherKeys other_keys = OtherKeys::passed);
  // Refuses what is no JSON object (RFC 8259), a name that is there twice, an object or an array of other than numbers
  // as a value of the names, and what nests deeper than json_nesting_max.
  [[nodiscard]] tl::expected<void, InvalidObject> read(std::string_view text);
  // One for each of the names, of the last object; valid until the next is read.
  [[nodiscard]] std::span<const JsonValue> values() const { return values_; }

 private:
  std::unordered_map<std::string, std::size_t> names_;  // their positions
  OtherKeys other_keys_;
  std::vector<JsonValue> values_;
};

// The keys of an object in their order.
[[nodiscard]] tl::expected<std::vector<std::string>, InvalidObject> keys_of(std::string_view text);

}  // namespace hansa::learning::kinds
