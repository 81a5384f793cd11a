// One process a folder, a run's or a client's state: an flock on a file that holds the owner's process id.
#pragma once
#include <filesystem>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa {

// Held until the descriptor closes, also by a crash. Fails (storage), naming the process, when
// another holder lives, in this process or in another; hint says what its user should do then.
[[nodiscard]] Result<Descriptor> lock_folder(const std::filesystem::path& folder, const std::string& hint);

}  // namespace hansa
