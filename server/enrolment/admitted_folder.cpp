#include "server/enrolment/admitted_folder.h"

#include <algorithm>

#include "common/files.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

constexpr const char* admitted_extension = ".pub";
constexpr const char* quarantined_extension = ".quarantined";
constexpr std::size_t revoked_bytes_max = 64 << 20;

fs::path file_of(const fs::path& folder, const std::string& name, const char* extension) {
  return folder / (name + extension);
}

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
  enrolment::DeviceFile file;
  file.key = device.key;
  file.identity = device.identity;
  file.certificate =
      enrolment::DeviceFile::Certified{device.certificate->validity, device.certificate->signature};
  return enrolment::write_device_file(file, file_of(folder, device.name, admitted_extension));
}

Result<void> remove_device(const fs::path& folder, const std::string& name) {
  for (const char* extension : {admitted_extension, quarantined_extension}) {
    std::error_code error;
    fs::remove(file_of(folder, name, extension), error);
    if (error)
      return fail(ErrorCode::storage, file_of(folder, name, extension).string(),
                  "cannot be removed (" + error.message() + ")");
  }
  return {};
}

Result<void> quarantine_device(const fs::path& folder, const std::string& name) {
  return rename_file(file_of(folder, name, admitted_extension), file_of(folder, name, quarantined_extension),
                     "does not exist: the device is not admitted", "\"hansa devices\" lists the devices");
}

Result<void> release_device(const fs::path& folder, const std::string& name) {
  return rename_file(file_of(folder, name, quarantined_extension), file_of(folder, name, admitted_extension),
                     "does not exist: the device is not quarantined", "\"hansa devices\" lists the devices");
}

Result<void> revoke_key(const fs::path& folder, const std::string& name, const transport::PublicKey& key) {
  const fs::path file = folder / revoked_keys_file;
  std::string text;
  std::error_code error;
  if (fs::exists(file, error)) {
    HANSA_TRY(text, read_text_file(file, revoked_bytes_max));
  }
  if (text.find(key.text()) != std::string::npos) return {};
  if (text.empty())
    text = "# Keys that are refused for ever: \"hansa devices revoke\". One in a line: key, name.\n";
  text += key.text() + " " + name + "\n";
  return write_file_atomically(file, text);
}

}  // namespace hansa::server
