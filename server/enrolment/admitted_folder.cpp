#include "server/enrolment/admitted_folder.h"

#include <algorithm>
#include <span>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/files.h"
#include "common/open_file.h"
#include "common/text.h"
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
Result<void> rename_file(const fs::path& from, const fs::path& to, const char* missing, const char* hint) {
  std::error_code error;
  if (!fs::exists(from, error)) return fail(ErrorCode::usage, from.string(), missing, hint);
  fs::rename(from, to, error);
  if (error) return fail(ErrorCode::storage, from.string(), "cannot be renamed (" + error.message() + ")");
  return {};
}

// Empty: there is no such file.
Result<std::string> revoked_text(const fs::path& folder) {
  const fs::path file = folder / revoked_keys_file;
  std::error_code error;
  if (!fs::exists(file, error) && !error) return std::string();
  return read_text_file(file, revoked_bytes_max);
}

std::set<transport::PublicKey> keys_in(const std::string& text) {
  std::set<transport::PublicKey> out;
  constexpr std::size_t key_characters = 40;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    if (const auto key = transport::parse_public_key(line.substr(0, key_characters), "")) out.insert(*key);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

// Replaces a file of the folder, complete and durable, and gives it the folder's owner and permissions. They are set
// before the file has its name, on the descriptor: a path could be exchanged meanwhile.
Result<void> write_as_folder(const fs::path& folder, const fs::path& file, std::string_view text) {
  const Descriptor directory = open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat owner {};
  if (!directory || ::fstat(directory.get(), &owner) != 0) return fail_with_errno(folder, "cannot be read");
  const fs::path temporary = file.string() + ".tmp" + std::to_string(::getpid());
  const auto write = [&]() -> Result<void> {
    ::unlink(temporary.c_str());  // left from a process that ended
    const Descriptor out = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (!out) return fail_with_errno(temporary, "cannot be created");
    HANSA_TRY_VOID(write_whole(out, std::as_bytes(std::span(text.data(), text.size())), temporary));
    // Another user than root cannot give a file away, and needs not, if it may write here.
    if (::geteuid() == 0 && ::fchown(out.get(), owner.st_uid, owner.st_gid) != 0)
      return fail_with_errno(temporary, "cannot be given to the owner of its folder");
    if (::fchmod(out.get(), owner.st_mode & 0666) != 0 || ::fsync(out.get()) != 0)
      return fail_with_errno(temporary, "cannot be written");
    if (::rename(temporary.c_str(), file.c_str()) != 0) return fail_with_errno(file, "cannot be replaced");
    return {};
  };
  if (auto written = write(); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::fsync(directory.get()) != 0) return fail_with_errno(folder, "cannot be flushed to disk");
  return {};
}

// The folder is locked.
Result<void> add_revoked_key(const fs::path& folder, const std::string& name,
                             const transport::PublicKey& key) {
  HANSA_TRY(std::string text, revoked_text(folder));
  if (keys_in(text).contains(key)) return {};
  if (text.empty())
    text =
        "# Keys that are refused for ever: of revoked devices, and those that were changed. One in a line: "
        "key, name.\n";
  else if (text.back() != '\n') text += '\n';  // somebody has edited the file
  text += key.text() + " " + name + "\n";
  return write_as_folder(folder, folder / revoked_keys_file, text);
}

}  // namespace

Result<std::set<transport::PublicKey>> read_revoked_keys(const fs::path& folder) {
  auto text = revoked_text(folder);
  if (!text)
    return fail(text.error().code, text.error().location, text.error().what,
                "let the aggregator's user read it: without it devices that were revoked would be admitted");
  return keys_in(*text);
}

Result<std::vector<DeviceRegister::Listed>> list_admitted(const fs::path& folder) {
  std::vector<DeviceRegister::Listed> out;
  HANSA_TRY(const auto revoked, read_revoked_keys(folder));
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

Result<std::optional<enrolment::DeviceFile>> find_admitted(const fs::path& folder, const std::string& name) {
  const fs::path file = file_of(folder, name, admitted_extension);
  std::error_code error;
  if (!fs::exists(file, error) && !error) return std::optional<enrolment::DeviceFile>();
  HANSA_TRY(auto device, enrolment::read_device_file(file));
  return std::optional(std::move(device));
}

Result<void> admit_device(const fs::path& folder, const Device& device) {
  if (!device.certificate)
    return fail(ErrorCode::usage, device.name, "has no certificate", "\"hansa approve\" certifies it");
  HANSA_TRY(const auto present, find_admitted(folder, device.name));
  if (present && present->key != device.key)
    return fail(ErrorCode::usage, file_of(folder, device.name, admitted_extension).string(),
                "exists, with another key than the device's", "remove one of the two");
  if (present) return {};
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
  // A request that is repeated changes nothing.
  if (const auto there = find_next_key(folder, device.name); there && there->key == next.key) return {};
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
