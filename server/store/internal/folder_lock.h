// One aggregator a run folder: an flock on a file that holds the owner's process id.
#pragma once
#include <filesystem>

#include "common/error.h"
#include "common/descriptor.h"

namespace hansa::server::internal {

// Held until the descriptor closes, also by a crash. Fails (storage), naming the process, when
// another holder lives, in this process or in another.
[[nodiscard]] Result<Descriptor> lock_folder(const std::filesystem::path& folder);

}  // namespace hansa::server::internal
