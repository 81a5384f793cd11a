// Settings as data: every key of a configuration file stands once, with its meaning, unit,
// range, default and an example. The reader (document.h) checks files against it, and
// docs/configuration.md is made from it.
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
  number,  // in the range; whole numbers are taken too
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
  required,  // the file must have it
  defaulted,  // default_value stands for it
  optional,  // absent means what the meaning says
};

struct Setting {
  std::string_view key;  // within its table; a number's unit is its last part: "deadline_s"
  Kind kind = Kind::text;
  Presence presence = Presence::required;
  std::string_view default_value = {};  // as TOML: "20", "\"stop\""
  std::string_view meaning;  // one or two sentences for an operator
  std::string_view unit = {};  // "seconds"; empty for none
  Range range = {};  // of numbers; of the length of a text
  std::span<const std::string_view> choices = {};
  std::string_view example;  // as TOML
};

// The settings of a, then those of b: for tables that share some.
template <std::size_t A, std::size_t B>
constexpr std::array<Setting, A + B> join(const std::array<Setting, A>& a, const std::array<Setting, B>& b) {
  std::array<Setting, A + B> out{};
  for (std::size_t i = 0; i < A; ++i) out[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) out[A + i] = b[i];
  return out;
}

struct Table {
  std::string_view
      name;  // "cohort", or "strategy.fedavgm" within a table that stands before it in the schema
  Presence presence =
      Presence::defaulted;  // required, or may be absent; optional: then its required keys may too
  std::string_view meaning;
  std::span<const Setting> settings;
  bool repeated = false;  // [[name]], any number of times; then no setting is defaulted
};

struct Schema {
  std::string_view file_name;  // "federation.toml"
  std::string_view meaning;
  std::span<const Table> tables;
};

// "1 to 1,000", "above 0, to 1", "at least 0", or empty for a number that may be anything.
[[nodiscard]] std::string range_text(const Setting& setting);
// The chapter of docs/configuration.md about one file, in Markdown.
[[nodiscard]] std::string schema_markdown(const Schema& schema);

}  // namespace hansa::config
