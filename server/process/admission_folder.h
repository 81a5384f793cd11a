// The clients that the operator admitted: a folder with files NAME.pub, except those whose keys are in its file revoked.keys
// (server/enrolment/admitted_folder.h). A change takes effect at once: for handshakes, and through take_change() for
// clients that are connected.
#pragma once
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/time.h"
#include "protocols/transport/server_channel.h"

namespace hansa::server {

// admit() is called on the channel's ZAP thread, take_change() on the engine's thread.
class AdmissionFolder final : public transport::Admission {
 public:
  explicit AdmissionFolder(std::filesystem::path folder);
  std::optional<std::string> admit(const transport::PublicKey& key) override;

  struct Change {
    std::vector<std::string> admitted;  // sorted
    std::vector<std::string> removed;  // admitted before, and not any more or with another key
    std::vector<std::string> changed;  // whose files have other contents, are new or are gone; sorted
  };
  // What has changed since the last call; empty: nothing. A file that was written again with the same contents is no
  // change. inotify reports changes that this machine makes; one that another machine makes in a network folder is found
  // within a second if it adds or removes a file. While the folder cannot be read, there is no change.
  [[nodiscard]] std::optional<Change> take_change();
  // Why revoked.keys cannot be read; each reason once, until it can be read again. Meanwhile only keys that were admitted
  // before are.
  [[nodiscard]] std::optional<Error> take_revocation_problem();

 private:
  struct File {
    std::filesystem::file_time_type written;
    std::uintmax_t bytes = 0;
    Digest contents;  // zero: the file cannot be read
    std::optional<transport::PublicKey> read;  // empty: the file cannot be read
    std::optional<transport::PublicKey> key;  // the same, unless the key was revoked
    [[nodiscard]] bool means(const File& other) const {
      return contents == other.contents && key == other.key;
    }
  };
  using Files = std::map<std::string, File, std::less<>>;  // by name

  [[nodiscard]] bool is_current() const;
  void look_again();
  void read_revoked();
  static void read(const std::filesystem::path& path, File& file);
  [[nodiscard]] bool has_events();

  std::filesystem::path folder_;
  Descriptor events_;  // inotify; empty where there is none
  std::mutex mutex_;
  std::filesystem::file_time_type folder_written_;
  Instant looked_at_;
  bool is_readable_ = false;
  Files files_;
  std::set<transport::PublicKey> revoked_;
  std::optional<Error> revoked_problem_;  // set: revoked_ may lack keys
  std::string problem_reported_;
  std::map<transport::PublicKey, std::string> names_;
  Files reported_;  // by take_change
};

}  // namespace hansa::server
