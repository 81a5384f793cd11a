// Pages about a configuration file, from the same table that checks the file: its manual page, and an example with every
// key.
#pragma once
#include <string>
#include <string_view>

#include "common/config/schema.h"

namespace hansa::command_line {

// Section 5. `page` is its name, "hansa-client.toml"; `program` reads the file.
[[nodiscard]] std::string settings_manual(const config::Schema& schema, std::string_view page,
                                          std::string_view program, std::string_view version);
// A TOML file in which every key is a comment: its meaning, its range, and its default or an example. `head` are comment
// lines for the start of the file.
[[nodiscard]] std::string settings_example(const config::Schema& schema, std::string_view head);

}  // namespace hansa::command_line
