#include "learning/data/internal/csv_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace hansa::learning::internal {
namespace {

// In lower case.
constexpr std::array<std::string_view, 32> missing_words{
    "",        "?",       "-",        "--",        ".",         "na",      "n/a",      "nan",
    "-nan",    "+nan",    "nan(ind)", "-nan(ind)", "nan(snan)", "1.#qnan", "-1.#qnan", "1.#ind",
    "-1.#ind", "1.#snan", "null",     "none",      "nil",       "\\n",     "<na>",     "#n/a",
    "#na",     "#div/0!", "#value!",  "#ref!",     "#num!",     "#name?",  "#null!",   "missing"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals_in_any_case(std::string_view cell, std::string_view word) {
  return cell.size() == word.size() &&
         std::ranges::equal(cell, word, [](char c, char w) { return lower(c) == w; });
}

// Of text that is a number beyond the range of double.
bool is_too_small(std::string_view text) {
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos && exponent + 1 < text.size()) return text[exponent + 1] == '-';
  return text.starts_with('0') || text.starts_with('.');  // many zeros behind the point
}

}  // namespace

bool is_missing(std::string_view cell, std::span<const std::string> words) {
  return std::ranges::find(words, cell) != words.end() ||
         std::ranges::any_of(missing_words,
                             [&](std::string_view word) { return equals_in_any_case(cell, word); });
}

std::optional<double> number_of(std::string_view cell) {
  const bool negative = cell.starts_with('-');
  if (negative || cell.starts_with('+')) cell.remove_prefix(1);
  if (cell.empty() || !(cell.front() == '.' || (cell.front() >= '0' && cell.front() <= '9')))
    return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range && is_too_small(cell)) value = 0;
  else if (error != std::errc()) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace hansa::learning::internal
