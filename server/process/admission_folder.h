// The clients that the operator admitted: a folder with files NAME.pub, except those whose keys are in its file revoked.keys
// (server/enrolment/admitted_folder.h). A change takes effect at once: for handshakes, and through take_change() for
// clients that are connected.
//
// A client that changes its key (NAME.next) is admitted with both keys. The next one takes the place of the present one when
// the client has connected with it, or when the overlap ends; from then on the former key is refused for ever.
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
#include "common/utc.h"
#include "protocols/transport/server_channel.h"
#include "server/enrolment/admitted_folder.h"

namespace hansa::server {

struct AdmissionRules {
  Duration key_overlap = std::chrono::hours(24 * 30);  // from the next key's certificate
  UtcSeconds (*wall_clock)() = utc_seconds_now;
};

// admit() is called on the channel's ZAP thread, the others on the engine's thread.
class AdmissionFolder final : public transport::Admission {
 public:
  explicit AdmissionFolder(std::filesystem::path folder, AdmissionRules rules = {});
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
  // Why a next key could not take its place; each reason once. It is tried again every second.
  [[nodiscard]] std::optional<Error> take_problem();
  // Why revoked.keys cannot be read; each reason once, until it can be read again. Meanwhile only keys that were admitted
  // before are.
  [[nodiscard]] std::optional<Error> take_revocation_problem();

 private:
  // The next key of a client, and when its file was written.
  struct Next {
    std::filesystem::file_time_type written;
    NextAdmitted key;
    friend bool operator==(const Next&, const Next&) = default;
  };
  struct File {
    std::filesystem::file_time_type written;
    std::uintmax_t bytes = 0;
    Digest contents;  // zero: the file cannot be read
    std::optional<transport::PublicKey> read;  // empty: the file cannot be read
    std::optional<transport::PublicKey> key;  // the same, unless the key was revoked
    std::optional<Next> next = {};
    [[nodiscard]] bool means(const File& other) const {
      return contents == other.contents && key == other.key && next == other.next;
    }
  };
  using Files = std::map<std::string, File, std::less<>>;  // by name

  [[nodiscard]] bool is_current() const;
  void look_again();
  void read_revoked();
  static void read(const std::filesystem::path& path, File& file);
  void look_for_next_keys(const std::map<std::string, std::filesystem::file_time_type>& written, Files& now);
  void switch_key_of(const std::string& name);
  // Those whose overlap has ended, or that could not take their place before.
  void switch_due_keys();
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
  std::string revocation_reported_;
  std::map<transport::PublicKey, std::string> names_;
  Files reported_;  // by take_change
  AdmissionRules rules_;
  std::set<std::string> unfinished_;  // names whose next key has connected and could not take its place
  std::optional<Error> problem_;
  std::string problem_reported_;
};

}  // namespace hansa::server
