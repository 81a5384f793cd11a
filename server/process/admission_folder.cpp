#include "server/process/admission_folder.h"

#include <algorithm>
#include <array>

#include <sys/inotify.h>

#include "common/files.h"
namespace hansa::server {
namespace {

// Overwriting a file does not change the folder's time, so that the files must be checked regularly. They are not
// checked for each handshake, because there may be thousands of both.
constexpr Duration look_again_after = std::chrono::seconds(1);
constexpr std::size_t file_bytes_max = 64 << 10;

Descriptor watch(const std::filesystem::path& folder) {
  Descriptor events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  constexpr std::uint32_t changes =
      IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_ATTRIB;
  if (!events || ::inotify_add_watch(events.get(), folder.c_str(), changes) < 0) return {};
  return events;
}

}  // namespace

AdmissionFolder::AdmissionFolder(std::filesystem::path folder, AdmissionRules rules)
    : folder_(std::move(folder)), events_(watch(folder_)), rules_(rules) {
  look_again();
  reported_ = files_;
}

std::optional<std::string> AdmissionFolder::admit(const transport::PublicKey& key) {
  const std::lock_guard lock(mutex_);
  if (!is_current()) look_again();
  const auto found = names_.find(key);
  if (found == names_.end()) return std::nullopt;
  const std::string name = found->second;
  // CURVE has authenticated the key: the client has it, and needs the former one no more.
  if (files_.at(name).key != key) switch_key_of(name);
  return name;
}

void AdmissionFolder::switch_key_of(const std::string& name) {
  if (const auto switched = switch_key(folder_, name); !switched) {
    unfinished_.insert(name);
    problem_ = switched.error();
    return;
  }
  unfinished_.erase(name);
  look_again();
}

void AdmissionFolder::switch_due_keys() {
  std::vector<std::string> due;
  const UtcSeconds now = rules_.wall_clock();
  const auto overlap_s = static_cast<std::uint64_t>(seconds(rules_.key_overlap));
  for (const auto& [name, file] : files_) {
    if (!file.next) continue;
    const bool is_cut_short = file.key == file.next->key.key;  // a crash, before the rest was done
    if (is_cut_short || unfinished_.contains(name) || now.value >= file.next->key.since.value + overlap_s)
      due.push_back(name);
  }
  for (const std::string& name : due) switch_key_of(name);
}

std::optional<Error> AdmissionFolder::take_problem() {
  const std::lock_guard lock(mutex_);
  if (!problem_ || problem_->text() == problem_reported_) return std::nullopt;
  problem_reported_ = problem_->text();
  return std::exchange(problem_, std::nullopt);
}

bool AdmissionFolder::is_current() const {
  if (looked_at_ == Instant{} || steady_now() - looked_at_ >= look_again_after) return false;
  std::error_code error;
  return std::filesystem::last_write_time(folder_, error) == folder_written_ && !error;
}

bool AdmissionFolder::has_events() {
  if (!events_) return false;
  bool any = false;
  alignas(inotify_event) std::array<char, 4096> buffer{};
  while (::read(events_.get(), buffer.data(), buffer.size()) > 0) any = true;
  return any;
}

std::optional<AdmissionFolder::Change> AdmissionFolder::take_change() {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  const bool due = steady_now() - looked_at_ >= look_again_after;
  // Without inotify all files are checked every second, otherwise only the folder's time.
  const bool may_differ =
      due && (!events_ || std::filesystem::last_write_time(folder_, error) != folder_written_);
  if (has_events() || may_differ) look_again();
  switch_due_keys();
  // admit() may have looked at the folder meanwhile.
  if (!is_readable_) return std::nullopt;
  Change change;
  for (const auto& [name, file] : files_) {
    if (file.key) change.admitted.push_back(name);
    const auto before = reported_.find(name);
    if (before == reported_.end() || !before->second.means(file)) change.changed.push_back(name);
  }
  for (const auto& [name, file] : reported_) {
    const auto now = files_.find(name);
    if (now == files_.end()) change.changed.push_back(name);
    if (file.key && (now == files_.end() || now->second.key != file.key)) change.removed.push_back(name);
  }
  if (change.changed.empty()) return std::nullopt;
  std::ranges::sort(change.changed);
  reported_ = files_;
  return change;
}

std::optional<Error> AdmissionFolder::take_revocation_problem() {
  const std::lock_guard lock(mutex_);
  const std::string text = revoked_problem_ ? revoked_problem_->text() : "";
  if (text == revocation_reported_) return std::nullopt;
  revocation_reported_ = text;
  return revoked_problem_;
}

void AdmissionFolder::read_revoked() {
  auto revoked = read_revoked_keys(folder_);
  if (!revoked) {
    revoked_problem_ = std::move(revoked).error();
    return;
  }
  revoked_problem_.reset();
  revoked_ = std::move(*revoked);
}

void AdmissionFolder::read(const std::filesystem::path& path, File& file) {
  const auto text = read_text_file(path, file_bytes_max);
  if (!text) return;
  file.contents = sha256(*text);
  if (const auto key = transport::read_public_key(path)) file.read = *key;
}

void AdmissionFolder::look_again() {
  std::error_code error;
  looked_at_ = steady_now();
  folder_written_ = std::filesystem::last_write_time(folder_, error);
  read_revoked();
  Files now;
  std::map<std::string, std::filesystem::file_time_type> next_written;
  names_.clear();
  std::filesystem::directory_iterator entries(folder_, error);
  is_readable_ = !error;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::directory_entry& entry = *entries;
    const std::string name = entry.path().stem().string();
    std::error_code gone;
    if (entry.path().extension() == ".next") {
      const auto written = entry.last_write_time(gone);
      if (!gone) next_written.emplace(name, written);
    }
    if (entry.path().extension() != ".pub") continue;
    File file{entry.last_write_time(gone), entry.file_size(gone), {}, {}, {}};
    if (gone) continue;
    const auto known = files_.find(name);
    if (known != files_.end() && known->second.written == file.written && known->second.bytes == file.bytes) {
      file.contents = known->second.contents;
      file.read = known->second.read;
    } else {
      read(entry.path(), file);
    }
    // While the list cannot be read, a key that is new may be one that was revoked.
    const bool is_known = known != files_.end() && known->second.key == file.read;
    if (file.read && !revoked_.contains(*file.read) && (is_known || !revoked_problem_)) file.key = file.read;
    now.emplace(name, std::move(file));
  }
  if (error) is_readable_ = false;
  look_for_next_keys(next_written, now);
  files_ = std::move(now);
  // A key that has two names is admitted under the first one in order.
  for (const auto& [name, file] : files_)
    if (file.key) names_.emplace(*file.key, name);
  for (const auto& [name, file] : files_)
    if (file.next) names_.emplace(file.next->key.key, name);
}

void AdmissionFolder::look_for_next_keys(
    const std::map<std::string, std::filesystem::file_time_type>& written, Files& now) {
  for (const auto& [name, time] : written) {
    const auto file = now.find(name);
    if (file == now.end() || !file->second.key) continue;
    const auto known = files_.find(name);
    if (known != files_.end() && known->second.next && known->second.next->written == time &&
        known->second.key == file->second.key) {
      file->second.next = known->second.next;
    } else if (revoked_problem_) {
      continue;  // it may have been revoked
    } else if (const auto next = find_next_key(folder_, name)) {
      file->second.next = Next{time, *next};
    }
    if (file->second.next && revoked_.contains(file->second.next->key.key)) file->second.next.reset();
  }
}

}  // namespace hansa::server
