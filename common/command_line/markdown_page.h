// The reference of a program's commands in Markdown: its part of docs/commands.md.
#pragma once
#include <string>

#include "common/command_line/command_tree.h"

namespace hansa::command_line {

// A section of level 2 for the program, and one of level 3 for each command below it, however deep. Each has the meaning,
// the synopsis, a table of arguments and options without --help, and the examples. `docs/NAME.md` in a text becomes a link,
// relative to docs/.
[[nodiscard]] std::string markdown_page(const Command& program);

}  // namespace hansa::command_line
