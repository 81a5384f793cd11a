#include <algorithm>

#include "common/files.h"
#include "server/store/run_catalogue.h"
#include "server/store/run_folder.h"

namespace hansa::server {
namespace {

// Converts to the interface.
Result<std::unique_ptr<Run>> as_run(Result<std::unique_ptr<RunFolder>> folder) {
  HANSA_TRY(std::unique_ptr<Run> run, std::move(folder));
  return run;
}

class FolderCatalogue final : public RunCatalogue {
 public:
  explicit FolderCatalogue(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error)) {
      std::error_code ignored;
      std::string name = entry->path().filename().string();
      if (name != simulated_folder && entry->is_directory(ignored)) names.push_back(std::move(name));
    }
    if (error && error != std::errc::no_such_file_or_directory)
      return fail(ErrorCode::storage, folder_.string(), "cannot be read (" + error.message() + ")");
    std::ranges::sort(names);
    return names;
  }
  Result<std::unique_ptr<Run>> create(const std::string& name, const Retention& retention) override {
    std::error_code ignored;
    if (std::filesystem::exists(folder_ / name, ignored))
      return fail(ErrorCode::storage, (folder_ / name).string(), "is there already");
    HANSA_TRY_VOID(make_folders(folder_));
    return open(name, retention);
  }
  Result<std::unique_ptr<Run>> open(const std::string& name, const Retention& retention) override {
    return as_run(RunFolder::open(folder_ / name, retention));
  }
  Result<std::unique_ptr<Run>> open_read_only(const std::string& name) override {
    return open_run_read_only(folder_ / name);
  }
  Result<bool> is_empty(const std::string& name) override { return RunFolder::is_empty(folder_ / name); }
  void remove_abandoned() override {
    const auto names = list();
    if (!names) return;  // the next call reports it
    for (const std::string& name : *names) RunFolder::remove_abandoned(folder_ / name);
  }
  std::string location() const override { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace

std::unique_ptr<RunCatalogue> open_catalogue(const std::filesystem::path& folder) {
  return std::make_unique<FolderCatalogue>(folder);
}

Result<std::unique_ptr<Run>> open_run_read_only(const std::filesystem::path& run) {
  return as_run(RunFolder::open_read_only(run));
}

}  // namespace hansa::server
