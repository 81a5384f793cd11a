// Keeps a second process out of a folder (a run's, or a client's state) with an flock on a file in it. The file holds
// the owner's process id.
#pragma once
#include <filesystem>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa {

// The lock is held until the descriptor is closed; a crash closes it too. Fails with `storage`, naming the process,
// if this or another process holds the lock already. The hint is that error's hint.
[[nodiscard]] Result<Descriptor> lock_folder(const std::filesystem::path& folder, const std::string& hint);
// Whether a process holds the lock now. Creates nothing. A lock_folder() in another process at this very moment waits for
// it.
[[nodiscard]] bool is_folder_locked(const std::filesystem::path& folder);

}  // namespace hansa
