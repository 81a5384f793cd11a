#include "tools/run_follower.h"

#include <array>
#include <string_view>

#include <sys/inotify.h>

namespace hansa::tools {
namespace {

// A commit and an evaluation write to the database's WAL, and a line to metrics.jsonl. The lock file is closed when the
// process that holds it ends, however it ends. Readers modify none of these files.
constexpr std::uint32_t run_events = IN_MODIFY | IN_CLOSE_WRITE;
constexpr std::uint32_t runs_events = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

bool tells_of_the_run(const inotify_event& event, std::string_view name) {
  if ((event.mask & IN_MODIFY) != 0)
    return name == "run.sqlite" || name == "run.sqlite-wal" || name == "metrics.jsonl" || name == "lock";
  return name == "lock";
}

}  // namespace

Result<RunFollower> RunFollower::open(const std::filesystem::path& run, const std::filesystem::path& runs) {
  RunFollower out;
  out.notify_ = Descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!out.notify_) return fail_with_errno(run, "cannot be watched");
  if (!run.empty()) HANSA_TRY_VOID(out.follow(run));
  if (!runs.empty()) {
    out.runs_ = runs;
    HANSA_TRY_VOID(out.watch_runs());
  }
  return out;
}

Result<void> RunFollower::watch_runs() {
  std::error_code error;
  if (!std::filesystem::is_directory(runs_, error)) {
    HANSA_TRY(parent_watch_, watch(runs_.parent_path(), runs_events));
    // It may have been made just before.
    if (!std::filesystem::is_directory(runs_, error)) return {};
  }
  HANSA_TRY(runs_watch_, watch(runs_, runs_events));
  if (!run_.empty()) return {};
  // A run that has a folder and has not begun changes in it.
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(runs_, error))
    if (entry.is_directory(error) && entry.path() > newest) newest = entry.path();
  if (!newest.empty()) expect(newest);
  return {};
}

void RunFollower::expect(const std::filesystem::path& newer) {
  newer_ = newer;
  newer_watch_ = watch(newer_, run_events).value_or(-1);
}

Result<int> RunFollower::watch(const std::filesystem::path& folder, std::uint32_t events) {
  const int out = ::inotify_add_watch(notify_.get(), folder.c_str(), events);
  if (out < 0) return fail_with_errno(folder, "cannot be watched");
  return out;
}

Result<void> RunFollower::follow(const std::filesystem::path& run) {
  if (run_watch_ >= 0) (void)::inotify_rm_watch(notify_.get(), run_watch_);
  if (run == newer_) newer_watch_ = -1;  // the same watch
  HANSA_TRY(run_watch_, watch(run, run_events));
  run_ = run;
  return {};
}

RunFollower::Changes RunFollower::take() {
  Changes out;
  alignas(inotify_event) std::array<char, 16'384> buffer{};
  for (;;) {
    const ssize_t n = ::read(notify_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      const std::string_view name = event->len > 0 ? std::string_view(event->name) : std::string_view();
      if ((event->mask & IN_Q_OVERFLOW) != 0) out.run = true;
      if (event->wd == run_watch_) {
        out.run = out.run || tells_of_the_run(*event, name);
      } else if (event->wd == runs_watch_ && (event->mask & IN_ISDIR) != 0 && !name.empty()) {
        expect(runs_ / name);
        out.newer = newer_;
      } else if (event->wd == parent_watch_ && name == runs_.filename().native() && runs_watch_ < 0) {
        // If it is gone already, or another one takes its place, the next event tells.
        if (watch_runs() && !newer_.empty()) out.newer = newer_;
      } else if (event->wd == newer_watch_ && tells_of_the_run(*event, name)) {
        out.newer = newer_;
      }
    }
  }
}

}  // namespace hansa::tools
