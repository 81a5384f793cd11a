// The run folders below a folder of runs, by their names, and what the names say. run_catalogue.h opens runs.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::server {

enum class RunState : std::uint8_t {
  running,  // a process holds the run's lock
  stopped,  // it has begun, and has rounds left
  finished,  // it has all of its rounds
  empty,  // it has not begun
  unreadable,
};
[[nodiscard]] const char* name(RunState state);

// Whether a folder holds anything of a run.
[[nodiscard]] bool is_run_folder(const std::filesystem::path& folder);
// "2026-01-02T03:04:05Z" from the end of "mine-20260102-030405", also with a number after it; empty for other names.
[[nodiscard]] std::string time_in_run_name(const std::string& name);

// Whether symbolic links to folders are followed.
enum class Links : std::uint8_t { followed, ignored };

struct ListedRun {
  std::string name;  // below the listed folder: "mine-20260102-030405", "simulated/mine-20260102-030405"
  std::filesystem::path folder;
  std::optional<Error> problem = {};  // the folder cannot be read; it is not known whether it is a run
};
// The runs in the folder and in its subfolders that are no runs, by name. Empty if the folder does not exist yet. Fails
// (storage) if it cannot be read.
[[nodiscard]] Result<std::vector<ListedRun>> list_run_folders(const std::filesystem::path& folder,
                                                              Links links);

}  // namespace hansa::server
