#include "learning/data/internal/csv_lists.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "common/text.h"
#include "learning/data/internal/csv_values.h"

namespace hansa::learning::internal {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view separators = ",;|";

std::optional<std::int64_t> integer_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

InvalidValue refusal(std::string what, std::string hint) {
  return {std::move(what), std::move(hint), ReasonCode::value_invalid};
}

// Removes the brackets. Returns false if one of two is missing.
bool open_brackets(std::string_view& cell) {
  for (const auto& [open, close] : {std::pair('[', ']'), std::pair('{', '}')}) {
    const bool opens = cell.starts_with(open), closes = cell.ends_with(close);
    if (opens != closes) return false;
    if (!opens) continue;
    cell = cell.substr(1, cell.size() - 2);
    return true;
  }
  return true;
}

std::string ordinal(std::size_t position) { return "value " + std::to_string(position) + " of the list"; }

}  // namespace

std::optional<InvalidValue> read_list(std::string_view cell, NumberList& list) {
  constexpr const char* hint = "write a list as \"1 5 9\" or \"[1, 5, 9]\"";
  list.reals.clear();
  list.integers.clear();
  if (!open_brackets(cell)) return refusal("has a bracket without the other one", hint);
  std::size_t at = cell.find_first_not_of(blanks);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(cell.find_first_of(", ;|\t\r\n", at), cell.size());
    const std::string_view text = cell.substr(at, end - at);
    const std::size_t position = list.reals.size() + 1;
    if (text.empty()) return refusal("has no number as " + ordinal(position), "write the number");
    if (text.find_first_of("[]{}") != std::string_view::npos)
      return refusal("has a list in a list", "use kind \"jsonl\", which has arrays of arrays");
    const auto value = number_of(text);
    if (!value)
      return refusal(
          "has " + in_quotes(printable(text)) + " as " + ordinal(position) + ", which is not a number", hint);
    const auto integer = integer_of(text);
    if (!integer && !fits_float(*value))
      return refusal(
          "has " + in_quotes(text) + " as " + ordinal(position) + ", which is not a finite float32",
          "correct the row");
    list.reals.push_back(*value);
    if (integer) list.integers.push_back(*integer);
    at = cell.find_first_not_of(blanks, end);
    if (at == std::string_view::npos || separators.find(cell[at]) == std::string_view::npos) continue;
    at = cell.find_first_not_of(blanks, at + 1);
    if (at == std::string_view::npos)
      return refusal("ends with a separator", "remove it, or write the number behind it");
  }
  if (list.reals.empty()) return refusal("is a list without a value", "remove the row, or correct it");
  return std::nullopt;
}

}  // namespace hansa::learning::internal
