#include "server/process/admission_folder.h"

namespace hansa::server {
namespace {

// Overwriting a file does not change the folder's time, so that the files must be checked regularly. They are not
// checked for each handshake, because there may be thousands of both.
constexpr Duration look_again_after = std::chrono::seconds(1);

}  // namespace

std::optional<std::string> AdmissionFolder::admit(const transport::PublicKey& key) {
  if (!is_current()) look_again();
  const auto found = names_.find(key);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

bool AdmissionFolder::is_current() const {
  if (looked_at_ == Instant{} || steady_now() - looked_at_ >= look_again_after) return false;
  std::error_code error;
  return std::filesystem::last_write_time(folder_, error) == folder_written_ && !error;
}

void AdmissionFolder::look_again() {
  std::error_code error;
  looked_at_ = steady_now();
  folder_written_ = std::filesystem::last_write_time(folder_, error);
  std::map<std::string, File, std::less<>> now;
  names_.clear();
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".pub") continue;
    const std::string name = entry.path().stem().string();
    std::error_code gone;
    File file{entry.last_write_time(gone), entry.file_size(gone), {}};
    if (gone) continue;
    const auto known = files_.find(name);
    if (known != files_.end() && known->second.written == file.written && known->second.bytes == file.bytes) {
      file.key = known->second.key;
    } else if (const auto read = transport::read_public_key(entry.path())) {
      file.key = *read;
    }
    now.emplace(name, std::move(file));
  }
  files_ = std::move(now);
  // A key that has two names is admitted under the first one in order.
  for (const auto& [name, file] : files_)
    if (file.key) names_.emplace(*file.key, name);
}

}  // namespace hansa::server
