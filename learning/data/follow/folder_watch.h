// Waits for changes in a folder, with inotify if the system has a free instance, and always with a time limit.
#pragma once
#include <filesystem>

#include "common/descriptor.h"
#include "common/time.h"

namespace hansa::learning::internal {

class FolderWatch {
 public:
  // Without inotify the folder is checked once a second.
  explicit FolderWatch(const std::filesystem::path& folder);
  // Watches another folder too, if the system allows it.
  void add(const std::filesystem::path& folder);
  // Returns when something in the folder changed, when `wake` becomes readable, or after `most` (without inotify: after
  // a second at most).
  void wait(Duration most, int wake);

 private:
  Descriptor inotify_;
};

}  // namespace hansa::learning::internal
