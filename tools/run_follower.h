// Tells when something in a run's folder has changed: rounds, evaluations, and whether a process works on it. Waits for
// inotify, and reads nothing by itself.
#pragma once
#include <filesystem>
#include <optional>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::tools {

// One thread.
class RunFollower {
 public:
  // run: empty if none has begun; then `runs` is given.
  // runs: the folder of runs, if a newer run is to be followed as soon as its folder is there; empty: none is. A folder
  // that does not exist yet is waited for; the folder that will contain it exists.
  [[nodiscard]] static Result<RunFollower> open(const std::filesystem::path& run,
                                                const std::filesystem::path& runs);

  [[nodiscard]] int descriptor() const { return notify_.get(); }  // readable: call take()
  struct Changes {
    bool run = false;
    std::optional<std::filesystem::path> newer;  // a folder in which a run begins, or may
  };
  // What has changed since the last call. Does not wait.
  [[nodiscard]] Changes take();
  // From now on another run is followed.
  [[nodiscard]] Result<void> follow(const std::filesystem::path& run);

 private:
  [[nodiscard]] Result<int> watch(const std::filesystem::path& folder, std::uint32_t events);
  [[nodiscard]] Result<void> watch_runs();
  void expect(const std::filesystem::path& newer);

  Descriptor notify_;
  std::filesystem::path run_, runs_, newer_;
  int run_watch_ = -1, runs_watch_ = -1, parent_watch_ = -1, newer_watch_ = -1;
};

}  // namespace hansa::tools
