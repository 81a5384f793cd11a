// Where the package's service expects a device's files, and acting as the user to whom they belong.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

#include "common/error.h"

namespace hansa::client {

struct ServiceUser {
  uid_t user = 0;
  gid_t group = 0;
};

struct ServicePlaces {
  std::filesystem::path file;  // client.toml
  std::filesystem::path folder;  // for the key, the certificate and the state
  ServiceUser user;  // owns the folder
};

// What the Debian package makes (packaging/debian/client/postinst).
struct PackageLayout {
  std::filesystem::path configuration = "/etc/hansa";
  std::filesystem::path data = "/var/lib/hansa-client";
  std::string user = "hansa-client";
};
// Empty unless this process is root's and the package is installed: its folder of configurations and its user exist.
[[nodiscard]] std::optional<ServicePlaces> find_service(const PackageLayout& layout = {});

// While it lives, this process makes and opens files as that user. One at a time; a process has one user for all of its
// threads.
class ActingAs {
 public:
  // Empty: nothing changes. Fails (storage) if this process may not become that user.
  [[nodiscard]] static Result<ActingAs> begin(const std::optional<ServiceUser>& user);
  ~ActingAs();  // ends the process if it cannot become root again
  ActingAs(ActingAs&& other) noexcept;
  ActingAs& operator=(ActingAs&&) = delete;

 private:
  ActingAs() = default;
  bool has_changed_ = false;
  uid_t user_before_ = 0;
  gid_t group_before_ = 0;
};

}  // namespace hansa::client
