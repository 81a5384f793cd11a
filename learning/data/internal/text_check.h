// What a file that should be text is instead, by its first bytes. Pure functions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace hansa::learning::internal {

inline constexpr std::size_t text_check_bytes = 1024;

struct OtherThanText {
  std::string what;  // "a zip archive"
  std::string hint;
};
// start: the file's first bytes, at most text_check_bytes are looked at. Empty if it may be text in UTF-8.
[[nodiscard]] std::optional<OtherThanText> find_other_than_text(std::span<const std::uint8_t> start);

}  // namespace hansa::learning::internal
