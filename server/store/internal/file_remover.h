// Removes files without making the caller wait: freeing the blocks of a large file takes the disk some 15 ms for 40 MB.
//
// remove() gives the file another name at once, so that a new file may take its name, and a thread unlinks it. The other
// name ends with .tmp and digits: what a crash leaves is removed by remove_unfinished() (common/files.h) at the next
// start. One thread at a time calls; the unlinking thread is started by the first call.
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

  // A file that is missing, or cannot be renamed, stays as it is. Blocks while pending_max files wait to be unlinked, so
  // that the disk does not fill with them.
  void remove(const std::filesystem::path& file);

 private:
  static constexpr std::size_t pending_max = 16;
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::filesystem::path> pending_;
  bool stopping_ = false;
  std::uint64_t removed_ = 0;  // makes names unique
  std::thread thread_;  // last: it uses all the others
};

}  // namespace hansa::server::internal
