// CURVE25519 keys in ZeroMQ's form: 32 bytes, written as 40 characters of Z85. The operator admits the public keys of
// devices under names.
#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace hansa::transport {

struct PublicKey {
  std::array<char, 40> z85{};
  [[nodiscard]] std::string text() const { return {z85.data(), z85.size()}; }
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
};
// The location is that of errors ("client.toml:14: aggregator.public_key").
[[nodiscard]] Result<PublicKey> parse_public_key(std::string_view text, std::string_view location);

// Move-only. The destructor wipes it; it is never printed.
class SecretKey {
 public:
  SecretKey() = default;
  ~SecretKey();
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  // 40 characters of Z85 and a terminating zero, for libzmq.
  [[nodiscard]] const char* z85() const { return z85_.data(); }
  [[nodiscard]] Result<PublicKey> public_key() const;
  [[nodiscard]] Result<Secret32> bytes() const;

 private:
  friend Result<SecretKey> generate_secret_key();
  friend Result<SecretKey> read_secret_key(const std::filesystem::path&);
  std::array<char, 41> z85_{};
};

[[nodiscard]] Result<SecretKey> generate_secret_key();
// A secret key file contains one line of Z85. Fails with `usage`, with a chmod command as the hint, if users other than
// the owner can access the file; a secret that belongs to another user may be readable by a group (internal/key_access.h).
[[nodiscard]] Result<SecretKey> read_secret_key(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_secret_key(const SecretKey& key, const std::filesystem::path& path);
// A public key file contains one line of Z85 and optional comment lines that start with '#'. The lines "identity ...",
// "certificate ..." and "replaces ..." are ignored; protocols/enrolment/device_file.h reads them.
[[nodiscard]] Result<PublicKey> read_public_key(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_public_key(const PublicKey& key, const std::filesystem::path& path);

}  // namespace hansa::transport
