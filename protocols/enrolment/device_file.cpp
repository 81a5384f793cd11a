#include "protocols/enrolment/device_file.h"

#include <array>

#include <fmt/format.h>

#include "common/files.h"
#include "common/hex.h"
#include "common/text.h"

namespace hansa::enrolment {
namespace {

using secure_aggregation::Certificate;
using secure_aggregation::IdentityKey;
using secure_aggregation::Signature;
using secure_aggregation::SigningKey;

constexpr std::size_t file_bytes_max = 4096;
constexpr const char* certify_hint =
    "certify it: hansa keys certify --root ROOT.key --federation NAME FILE.pub";

template <std::size_t N>
Result<std::array<std::uint8_t, N>> parse_hex(std::string_view text, std::string_view location) {
  std::array<std::uint8_t, N> out{};
  if (text.size() != 2 * N)
    return fail(ErrorCode::usage, std::string(location),
                fmt::format("has {} characters, needs {} hex digits", text.size(), 2 * N));
  if (!from_hex(text, out))
    return fail(ErrorCode::usage, std::string(location), "contains a character that is not a hex digit");
  return out;
}

}  // namespace

Result<IdentityKey> parse_identity(std::string_view text, std::string_view location) {
  auto key = parse_hex<32>(text, location);
  if (!key)
    return fail(key.error().code, key.error().location, key.error().what,
                "print it with \"hansa keys show --identity FILE\"");
  return key;
}

std::string text_of(const IdentityKey& identity) { return to_hex(identity); }

Result<DeviceFile> read_device_file(const std::filesystem::path& path) {
  DeviceFile out;
  HANSA_TRY(out.key, transport::read_public_key(path));
  HANSA_TRY(const std::string content, read_text_file(path, file_bytes_max));
  std::string_view rest = content;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string location = fmt::format("{}:{}", path.string(), number);
    constexpr std::string_view identity = "identity ", certificate = "certificate ";
    if (line.starts_with(identity)) {
      HANSA_TRY(out.identity, parse_hex<32>(trimmed(line.substr(identity.size())), location));
    } else if (line.starts_with(certificate)) {
      HANSA_TRY(out.certificate, parse_hex<64>(trimmed(line.substr(certificate.size())), location));
    }
  }
  return out;
}

Result<void> write_device_file(const DeviceFile& device, const std::filesystem::path& path) {
  std::string text = "# Hansa public key (CURVE25519, Z85)\n" + device.key.text() + "\n";
  if (device.identity) text += "identity " + to_hex(*device.identity) + "\n";
  if (device.certificate) text += "certificate " + to_hex(*device.certificate) + "\n";
  return write_file_atomically(path, text);
}

Result<SigningKey> identity_of(const transport::SecretKey& secret) {
  HANSA_TRY(const Secret32 bytes, secret.bytes());
  return SigningKey::derive(bytes);
}

Result<DeviceFile> describe(const transport::SecretKey& secret) {
  DeviceFile out;
  HANSA_TRY(out.key, secret.public_key());
  HANSA_TRY(const SigningKey key, identity_of(secret));
  out.identity = key.public_key();
  return out;
}

Result<Certificate> read_certificate(const std::filesystem::path& folder, const std::string& client,
                                     std::string_view federation, const IdentityKey& root) {
  const auto path = folder / (client + ".pub");
  HANSA_TRY(const DeviceFile device, read_device_file(path));
  if (!device.identity || !device.certificate)
    return fail(ErrorCode::usage, path.string(), "contains no certificate", certify_hint);
  Certificate out{client, *device.identity, *device.certificate};
  if (auto valid = check(out, federation, root); !valid)
    return fail(valid.error().code, path.string(), valid.error().what, certify_hint);
  return out;
}

Result<void> certify_file(const std::filesystem::path& file, std::string_view federation,
                          const SigningKey& root) {
  HANSA_TRY(DeviceFile device, read_device_file(file));
  if (!device.identity)
    return fail(ErrorCode::usage, file.string(), "contains no identity: an older Hansa wrote it",
                "print it again on its device with \"hansa keys public NAME.key\"");
  HANSA_TRY(const Certificate certificate, certify(root, federation, file.stem().string(), *device.identity));
  device.certificate = certificate.signature;
  return write_device_file(device, file);
}

}  // namespace hansa::enrolment
