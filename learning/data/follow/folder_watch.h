// Waits for changes in a folder: inotify where the system has some to spare, and time in any case.
#pragma once
#include <filesystem>

#include "common/descriptor.h"
#include "common/time.h"

namespace hansa::learning::internal {

class FolderWatch {
 public:
  // A folder that cannot be watched is looked at by time alone.
  explicit FolderWatch(const std::filesystem::path& folder);
  // Returns when something in the folder changed, when wake becomes readable, or after at most `most`;
  // without inotify after a second.
  void wait(Duration most, int wake);

 private:
  Descriptor inotify_;
};

}  // namespace hansa::learning::internal
