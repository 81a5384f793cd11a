// Runs in memory, for tests. Disks outlive the runs that are opened on them.
#pragma once
#include <map>

#include "server/store/memory_store.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {

class MemoryCatalogue final : public RunCatalogue {
 public:
  // scratch: a folder for temporary files of the runs.
  explicit MemoryCatalogue(std::filesystem::path scratch) : scratch_(std::move(scratch)) {}

  [[nodiscard]] Result<std::vector<std::string>> list() override;
  [[nodiscard]] Result<std::unique_ptr<Run>> create(const std::string& name,
                                                    const Retention& retention) override;
  [[nodiscard]] Result<std::unique_ptr<Run>> open(const std::string& name,
                                                  const Retention& retention) override;
  [[nodiscard]] Result<std::unique_ptr<Run>> open_read_only(const std::string& name) override;
  [[nodiscard]] Result<bool> is_empty(const std::string& name) override;
  void remove_abandoned() override;
  [[nodiscard]] std::string location() const override { return "memory"; }

 private:
  struct Entry {
    std::shared_ptr<MemoryDisk> disk;
  };
  [[nodiscard]] std::unique_ptr<Run> open_entry(const std::string& name, Entry& entry,
                                                MemoryRunOptions options);
  [[nodiscard]] Result<Entry*> find(const std::string& name);

  std::filesystem::path scratch_;
  std::map<std::string, Entry> runs_;
};

}  // namespace hansa::server
