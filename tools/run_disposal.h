// Removes a run, or packs it. Neither touches a run that a process works on.
#pragma once
#include <filesystem>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::tools {

// A run folder that was named on a command line, with the lock that keeps an aggregator away. Fails (usage) if the path
// is no run folder, (storage) if a process works on the run.
class HeldRun {
 public:
  [[nodiscard]] static Result<HeldRun> open(const std::filesystem::path& folder);
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }  // absolute
  [[nodiscard]] std::string name() const { return folder_.filename().string(); }

  // For ever. After a crash in between, the run is either complete or a folder in which no run began.
  [[nodiscard]] Result<void> remove();
  // Writes archive/NAME.tar.gz next to the run's folder, checks it, then removes the folder. Returns the file. A file
  // of this name is not replaced.
  [[nodiscard]] Result<std::filesystem::path> archive();

 private:
  HeldRun(std::filesystem::path folder, Descriptor lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::filesystem::path folder_;
  Descriptor lock_;
};

}  // namespace hansa::tools
