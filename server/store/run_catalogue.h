// The runs in one location, by name. One thread at a time.
//
// Implementations: folders on disk (open_catalogue), and memory for tests (memory_catalogue.h). Setup, the aggregator's
// process and the tools open runs only through this header.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/retention/retention.h"
#include "server/store/run.h"

namespace hansa::server {

// The subfolder of a federation's runs that holds its simulated runs, which have a catalogue of their own.
inline constexpr std::string_view simulated_folder = "simulated";

class RunCatalogue {
 public:
  virtual ~RunCatalogue() = default;

  // All names, sorted; without simulated_folder. Empty if the location does not exist yet.
  [[nodiscard]] virtual Result<std::vector<std::string>> list() = 0;
  // Fails (storage) if there is a run of this name.
  [[nodiscard]] virtual Result<std::unique_ptr<Run>> create(const std::string& name,
                                                            const Retention& retention) = 0;
  // Opens a run for the one aggregator that works on it. Removes models and deltas that no committed round names, and
  // what the retention does not keep. Fails (storage) if another process works on the run, or if a newer Hansa wrote
  // it.
  [[nodiscard]] virtual Result<std::unique_ptr<Run>> open(const std::string& name,
                                                          const Retention& retention) = 0;
  // Whether nothing was stored in the run of this name, because its creation was interrupted or its location is empty.
  // Fails (storage) if that cannot be read.
  [[nodiscard]] virtual Result<bool> is_empty(const std::string& name) = 0;
  // Removes models and deltas that no committed round names from all runs, except for those that another process works
  // on, those that cannot be opened, and those of an older schema; open() removes them from these.
  virtual void remove_abandoned() = 0;
  // Opens a run for reading, also while an aggregator works on it. Functions that write fail (usage).
  [[nodiscard]] virtual Result<std::unique_ptr<Run>> open_read_only(const std::string& name) = 0;
  // For messages.
  [[nodiscard]] virtual std::string location() const = 0;
};

// The folder's subfolders are the runs.
[[nodiscard]] std::unique_ptr<RunCatalogue> open_catalogue(const std::filesystem::path& folder);
// Opens for reading the run in this folder, which a command line names.
[[nodiscard]] Result<std::unique_ptr<Run>> open_run_read_only(const std::filesystem::path& run);

}  // namespace hansa::server
