#include "client/keys/key_files.h"

#include <array>

#include "common/files.h"
#include "common/hex.h"
#include "common/text.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/secure_aggregation/hold_out_key.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 256;

fs::path hold_out_file(const ClientConfig& config) { return config.state / "hold_out.key"; }

std::array<std::uint8_t, 8> bytes_of(std::uint64_t value) {
  std::array<std::uint8_t, 8> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i) & 0xFF);
  return out;
}

}  // namespace

fs::path next_key_file(const ClientConfig& config) { return enrolment::next_key_file(config.key); }

fs::path public_file(const ClientConfig& config) {
  fs::path out = config.key;
  return out.replace_extension(".pub");
}

Result<transport::SecretKey> read_or_make_key(const fs::path& file) {
  std::error_code error;
  if (fs::exists(file, error)) return transport::read_secret_key(file);
  HANSA_TRY(transport::SecretKey key, transport::generate_secret_key());
  HANSA_TRY_VOID(transport::write_secret_key(key, file));
  return key;
}

Result<std::uint64_t> hold_out_key_of(const ClientConfig& config, const transport::SecretKey& key) {
  const fs::path file = hold_out_file(config);
  std::error_code error;
  if (!fs::exists(file, error)) {
    HANSA_TRY(const auto identity, enrolment::identity_of(key));
    return secure_aggregation::hold_out_key(identity);
  }
  HANSA_TRY(const std::string text, read_text_file(file, file_bytes_max));
  std::array<std::uint8_t, 8> bytes{};
  if (!from_hex(trimmed(text), bytes))
    return fail(ErrorCode::storage, file.string(), "is damaged: it has not 16 hex digits",
                "restore it from a backup; without it the device would train on examples that it held out");
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) out = out << 8 | bytes[i - 1];
  return out;
}

Result<void> keep_hold_out_key(const ClientConfig& config, const transport::SecretKey& key) {
  std::error_code error;
  if (fs::exists(hold_out_file(config), error)) return {};
  HANSA_TRY(const std::uint64_t value, hold_out_key_of(config, key));
  HANSA_TRY_VOID(make_folders(config.state));
  return write_file_atomically(hold_out_file(config), to_hex(bytes_of(value)) + "\n", FileAccess::owner_only);
}

}  // namespace hansa::client
