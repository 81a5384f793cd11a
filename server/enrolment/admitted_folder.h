// Changes the folder of admitted clients, which decides who may connect (server/process/admission_folder.h): the
// aggregator notices each change within a second.
//
//   NAME.pub           admitted, with the operator's certificate
//   NAME.next          the key to which NAME changes, with its certificate and the key that it replaces: admitted too
//   NAME.quarantined   the same file, of a device that may not connect for now
//   revoked.keys       keys that are refused whatever files there are, one in a line
#pragma once
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/enrolment/device_file.h"
#include "server/register/device_register.h"

namespace hansa::server {

inline constexpr const char* revoked_keys_file = "revoked.keys";

// The keys in revoked.keys, each at the begin of a line; none if there is no such file. Fails (storage) if it cannot be
// read.
[[nodiscard]] Result<std::set<transport::PublicKey>> read_revoked_keys(const std::filesystem::path& folder);
// The files NAME.pub that can be read and whose keys are not revoked, sorted by name. Fails like read_revoked_keys().
[[nodiscard]] Result<std::vector<DeviceRegister::Listed>> list_admitted(const std::filesystem::path& folder);
// Every name of which there is a file, also a quarantined one.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder);

// NAME.pub; empty: there is none.
[[nodiscard]] Result<std::optional<enrolment::DeviceFile>> find_admitted(const std::filesystem::path& folder,
                                                                         const std::string& name);

// Writes NAME.pub, complete and durable. A file that exists is kept: no error if it has the device's key, otherwise
// `usage`, as for a device without a certificate.
[[nodiscard]] Result<void> admit_device(const std::filesystem::path& folder, const Device& device);
// Writes NAME.next, complete and durable, unless NAME.pub has that key already. Fails (usage) without a certificate.
[[nodiscard]] Result<void> admit_next_key(const std::filesystem::path& folder, const Device& device,
                                          const NextKey& next);
// The next key in NAME.next, if it replaces the one in NAME.pub, or has replaced it already and the file was not removed.
struct NextAdmitted {
  transport::PublicKey key;
  transport::PublicKey replaces;
  UtcSeconds since;  // when it was certified: the overlap begins
  friend bool operator==(const NextAdmitted&, const NextAdmitted&) = default;
};
[[nodiscard]] std::optional<NextAdmitted> find_next_key(const std::filesystem::path& folder,
                                                        const std::string& name);
// The next key takes the place of the present one: NAME.pub gets it, the present one is added to revoked.keys, and NAME.next
// is removed. After a crash in between, another call does the rest. Fails (usage) if there is no next key.
[[nodiscard]] Result<void> switch_key(const std::filesystem::path& folder, const std::string& name);
[[nodiscard]] Result<void> remove_next_key(const std::filesystem::path& folder, const std::string& name);

// Removes NAME.pub, NAME.next and NAME.quarantined; that none exists is no error.
[[nodiscard]] Result<void> remove_device(const std::filesystem::path& folder, const std::string& name);
// Fails (usage) if there is no NAME.pub.
[[nodiscard]] Result<void> quarantine_device(const std::filesystem::path& folder, const std::string& name);
// Fails (usage) if the device is not quarantined.
[[nodiscard]] Result<void> release_device(const std::filesystem::path& folder, const std::string& name);
// Adds the key to revoked.keys. Adding it twice is no error. The file gets the folder's owner, and whoever may read and
// write the folder may read and write the file: the aggregator is another user than an operator who works as root.
[[nodiscard]] Result<void> revoke_key(const std::filesystem::path& folder, const std::string& name,
                                      const transport::PublicKey& key);

}  // namespace hansa::server
