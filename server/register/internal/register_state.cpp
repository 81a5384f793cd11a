#include "server/register/internal/register_state.h"

#include <array>

namespace hansa::server::internal {
namespace {

using transport::PublicKey;

constexpr std::array all_states{DeviceState::pending,     DeviceState::certified, DeviceState::admitted,
                                DeviceState::quarantined, DeviceState::revoked,   DeviceState::denied,
                                DeviceState::removed};

DeviceState state_of(const std::string& text) {
  for (const DeviceState state : all_states)
    if (name(state) == text) return state;
  throw SQLite::Exception("a device has an unknown state", SQLITE_CORRUPT);
}

PublicKey key_of(const std::string& text) {
  PublicKey out;
  if (text.size() != out.z85.size()) throw SQLite::Exception("a key has another length", SQLITE_CORRUPT);
  std::ranges::copy(text, out.z85.begin());
  return out;
}

NextKeyState next_state_of(const std::string& text) {
  for (const NextKeyState state : {NextKeyState::pending, NextKeyState::certified, NextKeyState::denied})
    if (name(state) == text) return state;
  throw SQLite::Exception("a device's next key has an unknown state", SQLITE_CORRUPT);
}

// The columns of a certificate; empty: there is none.
struct CertificateColumns {
  std::optional<std::uint32_t> epoch;
  std::optional<std::uint64_t> issued, expires;
  std::optional<std::vector<std::byte>> signature;

  [[nodiscard]] std::optional<Device::Certified> certificate() const {
    if (!epoch || !issued || !expires || !signature) return std::nullopt;
    Device::Certified out{{*epoch, {*issued}, {*expires}}, {}};
    copy_blob(*signature, out.signature);
    return out;
  }
};

}  // namespace

const char* const device_columns =
    "SELECT name, label, state, key, identity, since, token, epoch, issued, expires, signature, software, "
    "last_seen, examples, counted, lost, lost_why FROM devices ";

Device read_device(sqlite::Statement& row) {
  Device out;
  std::string state, key;
  std::vector<std::byte> identity;
  std::optional<std::vector<std::byte>> token;
  std::optional<std::uint64_t> last_seen;
  CertificateColumns c;
  row.read(out.name, out.label, state, key, identity, out.since.value, token, c.epoch, c.issued, c.expires,
           c.signature, out.activity.software, last_seen, out.activity.examples, out.activity.counted,
           out.activity.lost, out.activity.lost_why);
  out.state = state_of(state);
  out.key = key_of(key);
  copy_blob(identity, out.identity);
  if (token) copy_blob(*token, out.token.emplace());
  out.certificate = c.certificate();
  if (last_seen) out.activity.last_seen = UtcSeconds{*last_seen};
  return out;
}

TokenRecord read_token(sqlite::Statement& row) {
  TokenRecord out;
  std::vector<std::byte> id;
  row.read(id, out.hash, out.label, out.uses, out.used, out.made.value, out.expires.value);
  copy_blob(id, out.id);
  return out;
}
const char* const token_columns = "SELECT id, hash, label, uses, used, made, expires FROM tokens ";

const char* const next_key_columns =
    "SELECT device, state, key, identity, since, epoch, issued, expires, signature FROM next_keys ";

NextKey read_next_key(sqlite::Statement& row) {
  NextKey out;
  std::string state, key;
  std::vector<std::byte> identity;
  CertificateColumns c;
  row.read(out.device, state, key, identity, out.since.value, c.epoch, c.issued, c.expires, c.signature);
  out.state = next_state_of(state);
  out.key = key_of(key);
  copy_blob(identity, out.identity);
  out.certificate = c.certificate();
  return out;
}

}  // namespace hansa::server::internal
