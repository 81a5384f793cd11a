// A folder that is written under a temporary name next to its destination, so that the destination is complete or
// absent.
#pragma once
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "common/error.h"

namespace hansa::tools {

class UnfinishedFolder {
 public:
  // The caller creates the folder path().
  explicit UnfinishedFolder(std::filesystem::path target)
      : target_(std::move(target)), path_(target_.string() + ".tmp" + std::to_string(::getpid())) {}
  // Removes the folder unless finish() has succeeded.
  ~UnfinishedFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  UnfinishedFolder(const UnfinishedFolder&) = delete;
  UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Renames it to the destination, which may be an empty folder. Fails with `storage`.
  [[nodiscard]] Result<void> finish() {
    std::error_code error;
    std::filesystem::rename(path_, target_, error);
    if (error)
      return fail(ErrorCode::storage, target_.string(), "cannot be created (" + error.message() + ")");
    path_.clear();
    return {};
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

}  // namespace hansa::tools
