#include "server/store/internal/file_remover.h"

#include <string>
#include <system_error>
#include <utility>

namespace hansa::server::internal {

FileRemover::~FileRemover() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FileRemover::remove(const std::filesystem::path& file) {
  // This differs from the temporary names of write_file_atomically(), which end with a process id.
  const std::filesystem::path renamed = file.string() + ".tmp0" + std::to_string(++removed_);
  std::error_code error;
  std::filesystem::rename(file, renamed, error);
  if (error) return;
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { serve(); });
    } catch (const std::system_error&) {  // no thread is left
      std::filesystem::remove(renamed, error);
      return;
    }
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return pending_.size() < pending_max; });
  pending_.push_back(renamed);
  changed_.notify_all();
}

void FileRemover::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) return;
    const std::filesystem::path file = pending_.front();
    lock.unlock();
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    lock.lock();
    pending_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace hansa::server::internal
