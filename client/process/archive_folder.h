// Archives that this device has fetched: one file each, named by its SHA-256.
#pragma once
#include <filesystem>

#include "client/engine/ports.h"

namespace hansa::client {

class ArchiveFolder final : public ArchiveStore {
 public:
  // Creates the folder.
  [[nodiscard]] static Result<ArchiveFolder> open(const std::filesystem::path& state_folder);
  // Verifies the file's digest the first time; a damaged file is set aside and fetched again.
  bool has(const Digest& archive) override;
  [[nodiscard]] Result<void> put(const Digest& archive, std::span<const std::byte> bytes) override;
  [[nodiscard]] std::filesystem::path path(const Digest& archive) const override;

 private:
  explicit ArchiveFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
  Digest verified_;
};

}  // namespace hansa::client
