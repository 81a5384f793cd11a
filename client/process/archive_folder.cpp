#include "client/process/archive_folder.h"

#include "common/files.h"

namespace hansa::client {

namespace {
constexpr std::size_t archive_bytes_max = 4ULL << 30;
}

Result<ArchiveFolder> ArchiveFolder::open(const std::filesystem::path& state_folder) {
  HANSA_TRY_VOID(make_folders(state_folder / "archives"));
  return ArchiveFolder(state_folder / "archives");
}

std::filesystem::path ArchiveFolder::path(const Digest& archive) const {
  return folder_ / (archive.hex() + ".pt");
}

bool ArchiveFolder::has(const Digest& archive) {
  if (verified_ == archive) return true;
  const auto file = path(archive);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return false;
  const auto bytes = read_binary_file(file, archive_bytes_max);
  if (!bytes || sha256(std::span<const std::byte>(*bytes)) != archive) {
    std::filesystem::rename(file, file.string() + ".damaged", error);
    return false;
  }
  verified_ = archive;
  return true;
}

Result<void> ArchiveFolder::put(const Digest& archive, std::span<const std::byte> bytes) {
  HANSA_TRY_VOID(write_file_atomically(path(archive), bytes));
  verified_ = archive;
  return {};
}

}  // namespace hansa::client
