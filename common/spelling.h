// "Did you mean": the known word that is nearest to a mistyped one.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hansa {

// Letters to insert, delete, replace or swap with a neighbour (optimal string alignment distance).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// Empty if no word is near: more than a third of the letters (at least 2) differ.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word,
                                                      std::span<const std::string> known);

}  // namespace hansa
