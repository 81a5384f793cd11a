#include "server/store/internal/delta_files.h"

#include "common/files.h"
#include "server/store/store.h"

namespace hansa::server::internal {
namespace {

constexpr const char* older_suffix = ".step";

// After a crash some files have the old name and some the new one; the next call continues.
Result<void> rename_older(const std::filesystem::path& older, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(older, error)) paths.push_back(entry.path());
  if (error == std::errc::no_such_file_or_directory) return {};
  for (const auto& path : paths) {
    if (error) break;
    if (path.extension() == older_suffix)
      std::filesystem::rename(path, folder / path.filename().replace_extension(DeltaFiles::suffix), error);
  }
  // The remaining files are incomplete ones that a crash left.
  if (!error) std::filesystem::remove_all(older, error);
  if (error)
    return fail(ErrorCode::storage, older.string(), "cannot become deltas/ (" + error.message() + ")");
  return {};
}

}  // namespace

Result<DeltaFiles> DeltaFiles::open(const std::filesystem::path& run_folder) {
  DeltaFiles files = open_read_only(run_folder);
  HANSA_TRY_VOID(make_folders(files.folder_));
  HANSA_TRY_VOID(rename_older(files.older_, files.folder_));
  HANSA_TRY_VOID(remove_unfinished(files.folder_));
  return files;
}

DeltaFiles DeltaFiles::open_read_only(const std::filesystem::path& run_folder) {
  return {run_folder / "deltas", run_folder / "steps"};
}

std::filesystem::path DeltaFiles::path(const Digest& digest) const {
  return folder_ / (digest.hex() + suffix);
}

Result<Digest> DeltaFiles::put(std::span<const std::byte> delta) const {
  const Digest digest = sha256(delta);
  HANSA_TRY_VOID(write_file_atomically(path(digest), delta));
  return digest;
}

Result<std::vector<std::byte>> DeltaFiles::get(const Digest& digest) const {
  std::filesystem::path from = path(digest);
  std::error_code ignored;
  const auto older = older_ / (digest.hex() + older_suffix);
  if (!std::filesystem::exists(from, ignored) && std::filesystem::exists(older, ignored)) from = older;
  HANSA_TRY(auto delta, read_binary_file(from, delta_bytes_max));
  if (sha256(std::span<const std::byte>(delta)) != digest)
    return fail(ErrorCode::storage, from.string(), "is damaged: its content does not match its name");
  return delta;
}

bool DeltaFiles::contains(const Digest& digest) const {
  std::error_code ignored;
  return std::filesystem::exists(path(digest), ignored);
}

void DeltaFiles::remove(const Digest& digest, FileRemover& remover) const { remover.remove(path(digest)); }

}  // namespace hansa::server::internal
