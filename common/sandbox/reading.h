// Narrows a process that is about to parse files that it does not trust, such as data of a device, and that needs files
// for it: common/sandbox/lock.h would be too early. There is no way back.
//
// Afterwards the process starts no program and no process, has no new socket, does not look into other processes, and
// changes no file but those that it was given. Where the kernel has Landlock, it does not read the files that are secret
// either, in particular the device's key. Everything else can be read: libraries, and what the data's files name.
//
// Sources: seccomp(2), landlock(7).
#pragma once
#include <filesystem>
#include <vector>

#include "common/error.h"
#include "common/sandbox/lock.h"

namespace hansa::sandbox {

struct ReadingConfig {
  std::vector<std::filesystem::path>
      secret;  // files and folders that are not read; those that do not exist are left out
  std::vector<std::filesystem::path> writable;  // folders whose files may be changed
  // Folders that are read also if they are in one that this user may not list.
  std::vector<std::filesystem::path> readable = {};
};

// Call it before other threads are started: Landlock covers this thread and those that it starts. Fails (resource) if
// the kernel refuses the filter, or (usage) if a secret is in a folder with more than 100,000 entries.
[[nodiscard]] Result<Landlock> restrict_to_reading(const ReadingConfig& config);

}  // namespace hansa::sandbox
