// A temporary folder for secrets: its name cannot be predicted, so that nobody else can make it first, and only its owner
// may enter it. Removed with the object.
#pragma once
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <cstdlib>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::tools {

class PrivateFolder {
 public:
  // In the folder of `target`, so that a file can be renamed to it. Fails (storage).
  [[nodiscard]] static Result<PrivateFolder> create_beside(const std::filesystem::path& target) {
    std::string path = target.string() + ".XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      return fail_with_errno(target, "cannot be created: a folder for it cannot be made");
    return PrivateFolder(std::move(path));
  }
  ~PrivateFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace hansa::tools
