// The text of a Python dict as it stands in the header of an .npy file. It is parsed, never evaluated.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hansa::learning::kinds {

// A list, which stands for a type of several fields. What it contains is not kept.
struct PythonList {};
using PythonValue = std::variant<std::string, bool, std::vector<std::uint64_t>, PythonList>;
using PythonDict = std::map<std::string, PythonValue, std::less<>>;

// A dict of strings without escapes, True and False, tuples of integers from 0, and lists. Empty: the text is another
// one, or has a key twice.
[[nodiscard]] std::optional<PythonDict> parse_python_dict(std::string_view text);

}  // namespace hansa::learning::kinds
