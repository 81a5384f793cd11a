// For "did you mean": finds the known word nearest to a misspelled one.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hansa {

// The number of letters to insert, delete, replace or swap with a neighbour (optimal string alignment distance).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// Empty if no known word is within a distance of a third of the word's length (at least 2).
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word,
                                                      std::span<const std::string> known);

}  // namespace hansa
