// Completion of a program's commands, options and values by a shell, from the same table as its --help.
#pragma once
#include <string>

#include "common/command_line/command_tree.h"

namespace hansa::command_line {

// For /usr/share/bash-completion/completions/PROGRAM. Files are completed where an argument or the value of an option
// may be one.
[[nodiscard]] std::string bash_completion(const Command& program);
// For a folder of zsh's fpath, as _PROGRAM. Shows the meaning of each command and option.
[[nodiscard]] std::string zsh_completion(const Command& program);

}  // namespace hansa::command_line
