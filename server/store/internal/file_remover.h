// Removes files without making the caller wait: freeing the blocks of a large file takes the disk some 15 ms for 40 MB.
//
// remove() renames the file at once, so that a new file may have its name, and a thread unlinks it. The new name ends
// with .tmp and digits. Files that a crash leaves are removed by remove_unfinished() (common/files.h) at the next
// start. One thread at a time calls remove(); the first call starts the unlinking thread.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

namespace hansa::server::internal {

class FileRemover {
 public:
  FileRemover() = default;
  ~FileRemover();  // returns when all files are unlinked
  FileRemover(const FileRemover&) = delete;
  FileRemover& operator=(const FileRemover&) = delete;

  // A file that is missing, or cannot be renamed, stays as it is. Blocks while pending_max files wait to be unlinked,
  // so that the disk does not fill with them.
  void remove(const std::filesystem::path& file);

 private:
  static constexpr std::size_t pending_max = 16;
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::filesystem::path> pending_;
  bool stopping_ = false;
  std::uint64_t removed_ = 0;  // so that names are unique
  std::thread thread_;  // the last member, because the thread uses all others
};

}  // namespace hansa::server::internal
