// The manual page of a program, from the same table as its --help: man(7).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/command_line/command_tree.h"

namespace hansa::command_line {

// What a page says that the command line does not know.
struct ManualNotes {
  std::string_view version;  // "0.1.0"
  std::vector<std::string_view> see_also;  // "hansa-client.toml(5)"
};

// Section 1.
[[nodiscard]] std::string manual_page(const Command& program, const ManualNotes& notes);

}  // namespace hansa::command_line
