#include "tools/run_disposal.h"

#include <algorithm>
#include <vector>

#include <fcntl.h>

#include "common/files.h"
#include "common/folder_lock.h"
#include "tools/tar_file.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

Result<void> remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) return fail(ErrorCode::storage, file.string(), "cannot be removed (" + error.message() + ")");
  return {};
}

Result<void> flush_folder(const fs::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) return fail_with_errno(folder, "cannot be flushed");
  return {};
}

// All files below the folder but its lock, sorted.
Result<std::vector<fs::path>> files_of(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if ((entry->is_symlink(error) || !entry->is_directory(error)) && entry->path() != folder / "lock")
      out.push_back(entry->path());
  if (error) return fail(ErrorCode::storage, folder.string(), "cannot be read (" + error.message() + ")");
  std::ranges::sort(out);
  return out;
}

}  // namespace

Result<HeldRun> HeldRun::open(const fs::path& named) {
  std::error_code error;
  fs::path folder = fs::absolute(named, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  // Anything else might be a folder of other files.
  if (!fs::exists(folder / "run.sqlite", error) && !fs::exists(folder / "metrics.jsonl", error))
    return fail(ErrorCode::usage, named.string(), "is no run folder: it holds no run.sqlite",
                "\"hansa runs FOLDER\" lists the runs");
  if (fs::is_symlink(folder, error))
    return fail(ErrorCode::usage, named.string(), "is a symbolic link", "name the folder itself");
  HANSA_TRY(Descriptor lock, lock_folder(folder, "stop that process first"));
  return HeldRun(std::move(folder), std::move(lock));
}

Result<void> HeldRun::remove() {
  // In this order: with run.sqlite the run is complete, because metrics.jsonl is written again from it; without both no
  // run has begun, also if a WAL file is left.
  for (const char* name : {"metrics.jsonl", "run.sqlite"}) HANSA_TRY_VOID(remove_file(folder_ / name));
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) return fail(ErrorCode::storage, folder_.string(), "cannot be removed (" + error.message() + ")");
  return {};
}

Result<fs::path> HeldRun::archive() {
  const fs::path target = folder_.parent_path() / "archive" / (name() + ".tar.gz");
  fs::path unfinished = target;
  unfinished += ".tmp";
  std::error_code error;
  if (fs::exists(target, error))
    return fail(ErrorCode::usage, target.string(), "exists already", "move it, and repeat the command");
  HANSA_TRY_VOID(make_folders(target.parent_path()));
  HANSA_TRY_VOID(remove_file(unfinished));  // of a command that was interrupted
  HANSA_TRY(const auto files, files_of(folder_));
  const auto write = [&]() -> Result<void> {
    HANSA_TRY(TarFile tar, TarFile::create(unfinished));
    for (const fs::path& file : files)
      HANSA_TRY_VOID(tar.add(file, name() + "/" + file.lexically_relative(folder_).generic_string()));
    return tar.finish();
  };
  if (auto written = write(); !written) {
    fs::remove(unfinished, error);
    return tl::unexpected<Error>(written.error());
  }
  fs::rename(unfinished, target, error);
  if (error) return fail(ErrorCode::storage, target.string(), "cannot be created (" + error.message() + ")");
  HANSA_TRY_VOID(flush_folder(target.parent_path()));
  HANSA_TRY_VOID(remove());
  return target;
}

}  // namespace hansa::tools
