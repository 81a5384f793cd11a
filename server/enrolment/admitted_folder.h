// Changes the folder of admitted clients, which decides who may connect (server/process/admission_folder.h): the
// aggregator notices each change within a second.
//
//   NAME.pub           admitted, with the operator's certificate
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
// Removes NAME.pub and NAME.quarantined; that neither exists is no error.
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
