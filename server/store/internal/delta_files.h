// Encoded deltas as files named by their SHA-256: <64 hex digits>.delta. One thread at a time, except for put().
//
// Before schema 6 they were named steps/*.step.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "server/store/internal/file_remover.h"

namespace hansa::server::internal {

class DeltaFiles {
 public:
  static constexpr const char* suffix = ".delta";

  // Creates run_folder/deltas, moves files with the older name there, and removes incomplete files that a crash left.
  [[nodiscard]] static Result<DeltaFiles> open(const std::filesystem::path& run_folder);
  // Reads files under either name.
  [[nodiscard]] static DeltaFiles open_read_only(const std::filesystem::path& run_folder);

  // Durable when it returns.
  [[nodiscard]] Result<Digest> put(std::span<const std::byte> delta) const;
  // Fails (storage) if it is missing or does not match its digest.
  [[nodiscard]] Result<std::vector<std::byte>> get(const Digest& digest) const;
  [[nodiscard]] bool contains(const Digest& digest) const;
  // Like ModelFiles::remove.
  void remove(const Digest& digest, FileRemover& remover) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  DeltaFiles(std::filesystem::path folder, std::filesystem::path older)
      : folder_(std::move(folder)), older_(std::move(older)) {}
  [[nodiscard]] std::filesystem::path path(const Digest& digest) const;

  std::filesystem::path folder_;
  std::filesystem::path older_;
};

}  // namespace hansa::server::internal
