#include "server/enrolment/admitted_folder.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/file.h>

#include "common/descriptor.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

constexpr const char* admitted_extension = ".pub";
constexpr const char* next_extension = ".next";
constexpr const char* quarantined_extension = ".quarantined";
constexpr std::size_t revoked_bytes_max = 64 << 20;

// The aggregator and the operator's commands change the folder: one at a time, so that no change is lost, and a key that is
// being switched does not come back from a quarantine. Ends with the object.
Result<Descriptor> lock(const fs::path& folder) {
  Descriptor out(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out) return fail(ErrorCode::storage, folder.string(), "cannot be opened");
  while (::flock(out.get(), LOCK_EX) != 0)
    if (errno != EINTR) return fail(ErrorCode::storage, folder.string(), "cannot be locked");
  return out;
}

fs::path file_of(const fs::path& folder, const std::string& name, const char* extension) {
  return folder / (name + extension);
}

enrolment::DeviceFile file_with(const transport::PublicKey& key,
                                const secure_aggregation::IdentityKey& identity,
                                const Device::Certified& certificate) {
  enrolment::DeviceFile out;
  out.key = key;
  out.identity = identity;
  out.certificate = enrolment::DeviceFile::Certified{certificate.validity, certificate.signature};
  return out;
}

Result<void> remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) return fail(ErrorCode::storage, file.string(), "cannot be removed (" + error.message() + ")");
  return {};
}

// The folder is locked.
Result<void> add_revoked_key(const fs::path& folder, const std::string& name,
                             const transport::PublicKey& key) {
  const fs::path file = folder / revoked_keys_file;
  std::string text;
  std::error_code error;
  if (fs::exists(file, error)) {
    HANSA_TRY(text, read_text_file(file, revoked_bytes_max));
  }
  if (text.find(key.text()) != std::string::npos) return {};
  if (text.empty())
    text =
        "# Keys that are refused for ever: of revoked devices, and those that were changed. One in a line: "
        "key, name.\n";
  text += key.text() + " " + name + "\n";
  return write_file_atomically(file, text);
}

// The folder is locked.
Result<void> rename_file(const fs::path& from, const fs::path& to, const char* missing, const char* hint) {
  std::error_code error;
  if (!fs::exists(from, error)) return fail(ErrorCode::usage, from.string(), missing, hint);
  fs::rename(from, to, error);
  if (error) return fail(ErrorCode::storage, from.string(), "cannot be renamed (" + error.message() + ")");
  return {};
}

}  // namespace

Result<std::set<transport::PublicKey>> read_revoked_keys(const fs::path& folder) {
  std::set<transport::PublicKey> out;
  std::error_code error;
  const fs::path file = folder / revoked_keys_file;
  if (!fs::exists(file, error) && !error) return out;
  HANSA_TRY(const std::string text, read_text_file(file, revoked_bytes_max));
  constexpr std::size_t key_characters = 40;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (const auto key = transport::parse_public_key(rest.substr(0, std::min(end, key_characters)), ""))
      out.insert(*key);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::vector<DeviceRegister::Listed> list_admitted(const fs::path& folder) {
  std::vector<DeviceRegister::Listed> out;
  const auto revoked = read_revoked_keys(folder).value_or(std::set<transport::PublicKey>());
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != admitted_extension) continue;
    const auto key = transport::read_public_key(entry->path());
    if (!key || revoked.contains(*key)) continue;
    DeviceRegister::Listed listed{entry->path().stem().string(), *key};
    // The certificate may be damaged, or of an older version.
    if (const auto device = enrolment::read_device_file(entry->path())) listed.identity = device->identity;
    out.push_back(std::move(listed));
  }
  std::ranges::sort(out, {}, &DeviceRegister::Listed::name);
  return out;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == admitted_extension || entry->path().extension() == quarantined_extension)
      out.push_back(entry->path().stem().string());
  return out;
}

Result<void> admit_device(const fs::path& folder, const Device& device) {
  if (!device.certificate)
    return fail(ErrorCode::usage, device.name, "has no certificate", "\"hansa approve\" certifies it");
  return enrolment::write_device_file(file_with(device.key, device.identity, *device.certificate),
                                      file_of(folder, device.name, admitted_extension));
}

Result<void> admit_next_key(const fs::path& folder, const Device& device, const NextKey& next) {
  HANSA_TRY(const auto held, lock(folder));
  if (!next.certificate)
    return fail(ErrorCode::usage, device.name, "has no certificate for its next key",
                "\"hansa approve\" certifies it");
  HANSA_TRY(const auto present, transport::read_public_key(file_of(folder, device.name, admitted_extension)));
  if (present == next.key) return {};
  auto file = file_with(next.key, next.identity, *next.certificate);
  file.replaces = device.key;
  return enrolment::write_device_file(file, file_of(folder, device.name, next_extension));
}

std::optional<NextAdmitted> find_next_key(const fs::path& folder, const std::string& name) {
  const auto next = enrolment::read_device_file(file_of(folder, name, next_extension));
  if (!next || !next->replaces || !next->certificate) return std::nullopt;
  const auto present = transport::read_public_key(file_of(folder, name, admitted_extension));
  if (!present || (*present != *next->replaces && *present != next->key)) return std::nullopt;
  return NextAdmitted{next->key, *next->replaces, next->certificate->validity.issued};
}

Result<void> switch_key(const fs::path& folder, const std::string& name) {
  HANSA_TRY(const auto held, lock(folder));
  const auto next = find_next_key(folder, name);
  const fs::path file = file_of(folder, name, next_extension);
  if (!next)
    return fail(ErrorCode::usage, file.string(), "is no key that replaces the one in " + name + ".pub",
                "remove the file");
  HANSA_TRY(auto device, enrolment::read_device_file(file));
  device.replaces.reset();
  HANSA_TRY_VOID(enrolment::write_device_file(device, file_of(folder, name, admitted_extension)));
  HANSA_TRY_VOID(add_revoked_key(folder, name, next->replaces));
  return remove_file(file);
}

Result<void> remove_next_key(const fs::path& folder, const std::string& name) {
  return remove_file(file_of(folder, name, next_extension));
}

Result<void> remove_device(const fs::path& folder, const std::string& name) {
  HANSA_TRY(const auto held, lock(folder));
  for (const char* extension : {admitted_extension, next_extension, quarantined_extension})
    HANSA_TRY_VOID(remove_file(file_of(folder, name, extension)));
  return {};
}

Result<void> quarantine_device(const fs::path& folder, const std::string& name) {
  HANSA_TRY(const auto held, lock(folder));
  return rename_file(file_of(folder, name, admitted_extension), file_of(folder, name, quarantined_extension),
                     "does not exist: the device is not admitted", "\"hansa devices\" lists the devices");
}

Result<void> release_device(const fs::path& folder, const std::string& name) {
  HANSA_TRY(const auto held, lock(folder));
  return rename_file(file_of(folder, name, quarantined_extension), file_of(folder, name, admitted_extension),
                     "does not exist: the device is not quarantined", "\"hansa devices\" lists the devices");
}

Result<void> revoke_key(const fs::path& folder, const std::string& name, const transport::PublicKey& key) {
  HANSA_TRY(const auto held, lock(folder));
  return add_revoked_key(folder, name, key);
}

}  // namespace hansa::server
