#include "protocols/transport/keys.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/descriptor.h"
#include "common/files.h"
#include "common/text.h"
#include "protocols/transport/internal/key_access.h"

namespace hansa::transport {
namespace {

constexpr std::size_t z85_length = 40;
constexpr std::size_t key_file_bytes_max = 4096;
constexpr std::string_view z85_alphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
constexpr const char* public_key_hint = "print it with \"hansa keys show FILE\"";

// Five characters of Z85 can encode more than 32 bits; then decoding fails.
bool decodes(std::string_view z85) {
  std::array<char, z85_length + 1> text{};
  std::copy_n(z85.data(), z85_length, text.data());
  std::array<std::uint8_t, 32> bytes{};
  const bool good = ::zmq_z85_decode(bytes.data(), text.data()) != nullptr;
  ::OPENSSL_cleanse(text.data(), text.size());
  ::OPENSSL_cleanse(bytes.data(), bytes.size());
  return good;
}

// The content of a file, in memory that the destructor wipes.
struct WipedBuffer {
  WipedBuffer() = default;
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;
  ~WipedBuffer() { ::OPENSSL_cleanse(bytes.data(), bytes.size()); }
  [[nodiscard]] std::string_view text() const { return {bytes.data(), used}; }
  std::array<char, 256> bytes{};
  std::size_t used = 0;
};

// Mode and bytes are read from one descriptor, so that the file cannot be replaced between the check and the read.
Result<void> read_owner_only(const std::filesystem::path& path, WipedBuffer& out) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return fail(ErrorCode::storage, path.string(), fmt::format("cannot be opened ({})", std::strerror(errno)),
                "create a key with \"hansa keys generate NAME\"");
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_with_errno(path, "cannot be read");
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::usage, path.string(), "is not a file");
  if (!internal::is_private(status.st_mode, status.st_uid, ::geteuid()))
    return fail(
        ErrorCode::usage, path.string(),
        fmt::format("contains a secret key but is accessible to other users than its owner (mode {:04o})",
                    static_cast<unsigned>(status.st_mode) & 07777u),
        status.st_uid == ::geteuid() ? fmt::format("chmod 600 {}", path.string())
                                     : "mount it with mode 0440 and a group of this process (Kubernetes: "
                                       "defaultMode: 0440 and fsGroup)");
  while (out.used < out.bytes.size()) {
    const ssize_t n = ::read(file.get(), out.bytes.data() + out.used, out.bytes.size() - out.used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_with_errno(path, "cannot be read");
    if (n == 0) break;
    out.used += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace

Result<PublicKey> parse_public_key(std::string_view text, std::string_view location) {
  if (text.size() != z85_length)
    return fail(ErrorCode::usage, std::string(location),
                fmt::format("has {} characters, needs {}", text.size(), z85_length), public_key_hint);
  const std::size_t odd = text.find_first_not_of(z85_alphabet);
  if (odd != std::string_view::npos) {
    const auto byte = static_cast<unsigned char>(text[odd]);
    const std::string shown = byte > 0x20 && byte < 0x7f
                                  ? fmt::format("'{}'", text[odd])
                                  : fmt::format("0x{:02x}", static_cast<unsigned>(byte));
    return fail(ErrorCode::usage, std::string(location),
                fmt::format("has {} as character {}, which is not a character of Z85", shown, odd + 1),
                public_key_hint);
  }
  if (!decodes(text))
    return fail(ErrorCode::usage, std::string(location), "is not a valid Z85 encoding of a key",
                public_key_hint);
  PublicKey key;
  std::copy_n(text.data(), z85_length, key.z85.data());
  return key;
}

SecretKey::~SecretKey() { ::OPENSSL_cleanse(z85_.data(), z85_.size()); }

SecretKey::SecretKey(SecretKey&& other) noexcept : z85_(other.z85_) {
  ::OPENSSL_cleanse(other.z85_.data(), other.z85_.size());
}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this == &other) return *this;
  z85_ = other.z85_;
  ::OPENSSL_cleanse(other.z85_.data(), other.z85_.size());
  return *this;
}

Result<PublicKey> SecretKey::public_key() const {
  std::array<char, z85_length + 1> text{};
  if (z85_[0] == '\0' || ::zmq_curve_public(text.data(), z85_.data()) != 0)
    return fail(ErrorCode::internal, "", "an empty secret key has no public key");
  PublicKey key;
  std::copy_n(text.data(), z85_length, key.z85.data());
  return key;
}

Result<Secret32> SecretKey::bytes() const {
  Secret32 out;
  if (z85_[0] == '\0' || ::zmq_z85_decode(out.bytes().data(), z85_.data()) == nullptr)
    return fail(ErrorCode::internal, "", "an empty secret key has no bytes");
  return out;
}

Result<SecretKey> generate_secret_key() {
  SecretKey key;
  std::array<char, z85_length + 1> public_text{};
  if (::zmq_curve_keypair(public_text.data(), key.z85_.data()) != 0)
    return fail(ErrorCode::internal, "",
                fmt::format("libzmq cannot generate a key ({})", ::zmq_strerror(errno)),
                "install a libzmq that is built with CURVE");
  return key;
}

Result<SecretKey> read_secret_key(const std::filesystem::path& path) {
  WipedBuffer buffer;
  HANSA_TRY_VOID(read_owner_only(path, buffer));
  const std::string_view text = trimmed(buffer.text());
  constexpr const char* hint =
      "restore it from a backup, or create a new one with \"hansa keys generate NAME\"";
  if (text.size() != z85_length)
    return fail(ErrorCode::usage, path.string(),
                fmt::format("has {} characters, needs {}", text.size(), z85_length), hint);
  // The error does not show the wrong character, because it may be part of a secret.
  if (text.find_first_not_of(z85_alphabet) != std::string_view::npos || !decodes(text))
    return fail(ErrorCode::usage, path.string(), "does not contain a secret key", hint);
  SecretKey key;
  std::copy_n(text.data(), z85_length, key.z85_.data());
  return key;
}

Result<void> write_secret_key(const SecretKey& key, const std::filesystem::path& path) {
  if (key.z85()[0] == '\0')
    return fail(ErrorCode::internal, path.string(), "cannot be written: the secret key is empty");
  WipedBuffer line;
  std::copy_n(key.z85(), z85_length, line.bytes.data());
  line.bytes[z85_length] = '\n';
  line.used = z85_length + 1;
  return write_file_atomically(path, line.text(), FileAccess::owner_only);
}

Result<PublicKey> read_public_key(const std::filesystem::path& path) {
  HANSA_TRY(const std::string content, read_text_file(path, key_file_bytes_max));
  std::string_view rest = content;
  std::string_view found;
  int found_line = 0;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // '#' is a character of Z85 too: a line of 40 characters that is a valid key is not a comment.
    if (line.empty() || (line.front() == '#' && !(line.size() == z85_length && parse_public_key(line, ""))))
      continue;
    if (line.starts_with("identity ") || line.starts_with("certificate ") || line.starts_with("replaces "))
      continue;
    if (!found.empty())
      return fail(ErrorCode::usage, fmt::format("{}:{}", path.string(), number), "contains a second key",
                  "keep one key in a file");
    found = line;
    found_line = number;
  }
  if (found.empty()) return fail(ErrorCode::usage, path.string(), "contains no key", public_key_hint);
  return parse_public_key(found, fmt::format("{}:{}", path.string(), found_line));
}

Result<void> write_public_key(const PublicKey& key, const std::filesystem::path& path) {
  return write_file_atomically(path, "# Hansa public key (CURVE25519, Z85)\n" + key.text() + "\n");
}

}  // namespace hansa::transport
