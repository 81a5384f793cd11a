// A model archive as a file: named by a path and opened when it is read, or open already, for a process that may open no
// file any more (common/sandbox/lock.h).
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "common/descriptor.h"
#include "common/digest.h"
#include "common/error.h"

namespace hansa::learning {

class ArchiveFile {
 public:
  ArchiveFile() = default;
  template <class Path>
  requires std::is_convertible_v<Path, std::filesystem::path> ArchiveFile(const Path& path)
      : path_(path) {}  // NOLINT: a path is an archive
  // The path only names the archive in errors. identity: two archives that are open have the same bytes if their
  // identities are equal.
  ArchiveFile(std::filesystem::path path, Descriptor file, std::string identity)
      : path_(std::move(path)),
        file_(std::make_shared<const Descriptor>(std::move(file))),
        identity_(std::move(identity)) {}

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string location() const { return path_.string(); }
  [[nodiscard]] bool is_open() const { return file_ != nullptr; }
  [[nodiscard]] const std::shared_ptr<const Descriptor>& file() const {
    return file_;
  }  // null unless it is open
  // Distinguishes states of the file without reading it; empty if it does not exist.
  [[nodiscard]] std::string identity() const;
  // SHA-256 of the file. Fails (storage).
  [[nodiscard]] Result<Digest> digest() const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const Descriptor> file_;
  std::string identity_;
};

}  // namespace hansa::learning
