#include "protocols/enrolment/device_file.h"

#include <array>
#include <charconv>

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
using secure_aggregation::Validity;

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

// Takes the first word of the text. Empty: it is not a whole number of this size.
template <class T>
std::optional<T> take_number(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  T out{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  text = trimmed(text.substr(word.size()));
  return out;
}

// Fails with `usage` and a hint for what an older version wrote: only the signature.
Result<DeviceFile::Certified> parse_certificate(std::string_view text, std::string_view location) {
  DeviceFile::Certified out;
  const bool has_validity = text.find(' ') != std::string_view::npos;
  const auto epoch = take_number<std::uint32_t>(text);
  const auto issued = epoch ? take_number<std::uint64_t>(text) : std::nullopt;
  const auto expires = issued ? take_number<std::uint64_t>(text) : std::nullopt;
  if (!expires)
    return fail(ErrorCode::usage, std::string(location),
                has_validity ? "is not a certificate: epoch, issue, expiry and signature"
                             : "is a certificate without epoch and expiry: an older Hansa wrote it",
                certify_hint);
  out.validity = {*epoch, {*issued}, {*expires}};
  auto signature = parse_hex<64>(text, location);
  if (!signature)
    return fail(signature.error().code, signature.error().location, signature.error().what, certify_hint);
  out.signature = *signature;
  return out;
}

// The certificate lines are left out, so that a file with an invalid one can be certified again.
struct Lines {
  DeviceFile device;
  struct CertificateLine {
    std::string text, location;
  };
  std::optional<CertificateLine> certificate;
};
Result<Lines> read_lines(const std::filesystem::path& path) {
  Lines out;
  HANSA_TRY(out.device.key, transport::read_public_key(path));
  HANSA_TRY(const std::string content, read_text_file(path, file_bytes_max));
  std::string_view rest = content;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string location = fmt::format("{}:{}", path.string(), number);
    constexpr std::string_view identity = "identity ", certificate = "certificate ", replaces = "replaces ";
    if (line.starts_with(identity)) {
      HANSA_TRY(out.device.identity, parse_hex<32>(trimmed(line.substr(identity.size())), location));
    } else if (line.starts_with(certificate)) {
      out.certificate.emplace(std::string(trimmed(line.substr(certificate.size()))), location);
    } else if (line.starts_with(replaces)) {
      HANSA_TRY(out.device.replaces,
                transport::parse_public_key(trimmed(line.substr(replaces.size())), location));
    }
  }
  return out;
}

// The epoch of a present certificate that the root signed; 0: there is none.
std::uint32_t present_epoch(const Lines& lines, const std::string& client, std::string_view federation,
                            const IdentityKey& root) {
  if (!lines.certificate || !lines.device.identity) return 0;
  const auto present = parse_certificate(lines.certificate->text, lines.certificate->location);
  if (!present) return 0;
  const Certificate certificate{client, *lines.device.identity, present->validity, present->signature};
  return check(certificate, federation, root) ? present->validity.epoch : 0;
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
  HANSA_TRY(Lines lines, read_lines(path));
  if (lines.certificate) {
    HANSA_TRY(lines.device.certificate,
              parse_certificate(lines.certificate->text, lines.certificate->location));
  }
  return std::move(lines.device);
}

Result<void> write_device_file(const DeviceFile& device, const std::filesystem::path& path) {
  std::string text = "# Hansa public key (CURVE25519, Z85)\n" + device.key.text() + "\n";
  if (device.identity) text += "identity " + to_hex(*device.identity) + "\n";
  if (const auto& c = device.certificate)
    text += fmt::format("certificate {} {} {} {}\n", c->validity.epoch, c->validity.issued.value,
                        c->validity.expires.value, to_hex(c->signature));
  if (device.replaces) text += "replaces " + device.replaces->text() + "\n";
  return write_file_atomically(path, text);
}

std::filesystem::path next_key_file(const std::filesystem::path& secret_key) {
  return secret_key.string() + ".next";
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

Result<Certificate> read_certificate(const CertificateScope& scope, const std::string& client,
                                     UtcSeconds now) {
  const auto path = scope.folder / (client + ".pub");
  HANSA_TRY(const DeviceFile device, read_device_file(path));
  if (!device.identity || !device.certificate)
    return fail(ErrorCode::usage, path.string(), "contains no certificate", certify_hint);
  Certificate out{client, *device.identity, device.certificate->validity, device.certificate->signature};
  auto valid = check(out, scope.federation, scope.root);
  if (!valid && scope.other_root) valid = check(out, scope.federation, *scope.other_root);
  if (valid) valid = check_validity(out, scope.epoch, now);
  if (!valid)
    return fail(
        valid.error().code, path.string(), "the certificate " + valid.error().what,
        out.validity.epoch < scope.epoch
            ? fmt::format("renew it: hansa keys certify --epoch {} --root ROOT.key --federation {} {}.pub",
                          scope.epoch, scope.federation, client)
            : certify_hint);
  return out;
}

Result<Validity> certify_file(const std::filesystem::path& file, std::string_view federation,
                              const SigningKey& root, const CertificateTerm& term) {
  HANSA_TRY(Lines lines, read_lines(file));
  DeviceFile& device = lines.device;
  if (!device.identity)
    return fail(ErrorCode::usage, file.string(), "contains no identity: an older Hansa wrote it",
                "print it again on its device with \"hansa keys public NAME.key\"");
  const std::string client = file.stem().string();
  const std::uint32_t present = present_epoch(lines, client, federation, root.public_key());
  const std::uint32_t epoch = term.epoch.value_or(std::max(present, 1U));
  if (epoch < present)
    return fail(ErrorCode::usage, file.string(),
                fmt::format("is certified for epoch {}, and clients refuse to go back to {}", present, epoch),
                "leave out --epoch, or raise it");
  const Validity validity{epoch, term.issued, {term.issued.value + term.days * seconds_per_day}};
  HANSA_TRY(const Certificate certificate, certify(root, federation, client, *device.identity, validity));
  device.certificate = {validity, certificate.signature};
  HANSA_TRY_VOID(write_device_file(device, file));
  return validity;
}

}  // namespace hansa::enrolment
