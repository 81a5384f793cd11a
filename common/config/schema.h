// Settings as data: a schema lists every key of a configuration file once, with its meaning, unit, range, default
// and an example. Document (document.h) checks files against it, and docs/configuration.md is generated from it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace hansa::config {

enum class Kind : std::uint8_t {
  text,  // "..."
  texts,  // "..." or ["...", "..."]
  path,  // "...", relative to the file's folder
  choice,  // one of Setting::choices
  integer,  // whole number in the range
  number,  // in the range; whole numbers are accepted too
  numbers,  // [number, ...], each in the range
  boolean,  // true or false
};

enum class Bound : std::uint8_t { inclusive, exclusive };
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  Bound at_least = Bound::inclusive;
  Bound at_most = Bound::inclusive;
};

enum class Presence : std::uint8_t {
  required,  // the file must contain it
  defaulted,  // if absent, default_value is used
  optional,  // may be absent; Setting::meaning says what that means
};

struct Setting {
  std::string_view key;  // the name within its table; a number's key ends with its unit: "deadline_s"
  Kind kind = Kind::text;
  Presence presence = Presence::required;
  std::string_view default_value = {};  // as TOML: "20", "\"stop\""
  std::string_view meaning;  // one or two sentences for an operator
  std::string_view unit = {};  // "seconds"; empty for none
  Range range = {};  // for a number its value, for a text its length
  std::span<const std::string_view> choices = {};
  std::string_view example;  // as TOML
};

// The settings of a, then those of b. For tables that have settings in common.
template <std::size_t A, std::size_t B>
constexpr std::array<Setting, A + B> join(const std::array<Setting, A>& a, const std::array<Setting, B>& b) {
  std::array<Setting, A + B> out{};
  for (std::size_t i = 0; i < A; ++i) out[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) out[A + i] = b[i];
  return out;
}

struct Table {
  // "cohort"; "strategy.fedavgm" and "compression.rule" are in another table, which comes before them in the schema.
  std::string_view name;
  // defaulted: may be absent, but its required keys may not. optional: may be absent with all its keys.
  Presence presence = Presence::defaulted;
  std::string_view meaning;
  std::span<const Setting> settings;
  bool repeated = false;  // [[name]], any number of times; none of its settings may be defaulted
};

struct Schema {
  std::string_view file_name;  // "federation.toml"
  std::string_view meaning;
  std::span<const Table> tables;
};

// "1 to 1,000", "above 0, to 1", "at least 0"; empty if the range has no limits.
[[nodiscard]] std::string range_text(const Setting& setting);
// The chapter of docs/configuration.md about the schema's file, in Markdown.
[[nodiscard]] std::string schema_markdown(const Schema& schema);

}  // namespace hansa::config
