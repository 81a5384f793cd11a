// Starts hansa-learning for the commands that need LibTorch.
#pragma once
#include <span>

#include "common/error.h"
#include "tools/learning_commands.h"

namespace hansa::tools {

// Titles only: these commands are forwarded before the command line is read.
[[nodiscard]] LearningCommands forwarded_commands();

// Whether hansa-learning must run this command line: argv of main(). It also writes the manual and the completion, which
// need the options of all commands.
[[nodiscard]] bool is_forwarded(std::span<char* const> argv);

// Replaces this process by hansa-learning with the same arguments. Returns only with an error (internal).
[[nodiscard]] Result<int> forward(std::span<char* const> argv);

}  // namespace hansa::tools
