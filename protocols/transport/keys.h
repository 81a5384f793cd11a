// CURVE25519 keys as ZeroMQ uses them: 32 bytes, written as 40 characters of Z85.
// A device's identity is its key; the operator admits public keys under names.
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
// place names the source in errors ("client.toml:14: aggregator.public_key").
[[nodiscard]] Result<PublicKey> parse_public_key(std::string_view text, std::string_view place);

// Move-only, wiped when it goes, never printed.
class SecretKey {
 public:
  SecretKey() = default;
  ~SecretKey();
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  // 40 characters of Z85 and a zero, for libzmq.
  [[nodiscard]] const char* z85() const { return z85_.data(); }
  [[nodiscard]] Result<PublicKey> public_key() const;
  [[nodiscard]] Result<Secret32> bytes() const;

 private:
  friend Result<SecretKey> generate_secret_key();
  friend Result<SecretKey> read_secret_key(const std::filesystem::path&);
  std::array<char, 41> z85_{};
};

[[nodiscard]] Result<SecretKey> generate_secret_key();
// A secret key file holds one line of Z85; others than the owner must not be able to read it:
// fails (usage) with the chmod that hints it.
[[nodiscard]] Result<SecretKey> read_secret_key(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_secret_key(const SecretKey& key, const std::filesystem::path& path);
// A public key file holds one line of Z85 after optional '#' comment lines. Lines "WORD VALUE" are left to others
// (protocols/enrolment/device_file.h).
[[nodiscard]] Result<PublicKey> read_public_key(const std::filesystem::path& path);
[[nodiscard]] Result<void> write_public_key(const PublicKey& key, const std::filesystem::path& path);

}  // namespace hansa::transport
