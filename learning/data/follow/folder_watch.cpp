#include "learning/data/follow/folder_watch.h"

#include <algorithm>
#include <array>

#include <poll.h>
#include <sys/inotify.h>

namespace hansa::learning::internal {

namespace {

constexpr std::uint32_t changes =
    IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR;

}  // namespace

FolderWatch::FolderWatch(const std::filesystem::path& folder)
    : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (inotify_ && ::inotify_add_watch(inotify_.get(), folder.c_str(), changes) < 0) inotify_ = Descriptor();
}

void FolderWatch::add(const std::filesystem::path& folder) {
  if (inotify_) (void)::inotify_add_watch(inotify_.get(), folder.c_str(), changes);
}

void FolderWatch::wait(Duration most, int wake) {
  // Network file systems send no notifications, so the folder is also checked once a second where inotify is missing.
  if (!inotify_) most = std::min<Duration>(most, std::chrono::seconds(1));
  std::array<pollfd, 2> waited{pollfd{wake, POLLIN, 0}, pollfd{inotify_.get(), POLLIN, 0}};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(most).count();
  (void)::poll(waited.data(), inotify_ ? 2 : 1,
               static_cast<int>(std::min<std::int64_t>(milliseconds, 60'000)));
  std::array<char, 4096> events;
  while (inotify_ && ::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace hansa::learning::internal
