#include "protocols/secure_aggregation/roster.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <set>

#include "common/transcript.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::size_t name_bytes_max = 64;

Transcript signed_part(const Advert& advert, std::string_view client, const Digest& setup) {
  Transcript out("hansa secagg advert 1");
  out.bytes(setup.bytes).text(client).bytes(advert.share_key).bytes(advert.mask_key);
  out.bytes(advert.self_seed_commitment.bytes).bytes(advert.nonce);
  return out;
}

// A number as its bytes, high byte first. Calls `field` with them, and takes the number from them.
template <std::unsigned_integral T, class F>
void number(T& value, F& field) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
  field(std::span<std::uint8_t>(bytes));
  value = 0;
  for (const std::uint8_t byte : bytes) value = static_cast<T>(value << 8) | byte;
}

// The order of the fields, for encoding and decoding.
template <class F>
void fields(RosterEntry& entry, F&& field) {
  field(std::span(entry.certificate.identity));
  number(entry.certificate.validity.epoch, field);
  number(entry.certificate.validity.issued.value, field);
  number(entry.certificate.validity.expires.value, field);
  field(std::span(entry.certificate.signature));
  field(std::span(entry.advert.share_key));
  field(std::span(entry.advert.mask_key));
  field(std::span(entry.advert.self_seed_commitment.bytes));
  field(std::span(entry.advert.nonce));
  field(std::span(entry.advert.signature));
}

tl::unexpected<Error> malformed(const char* what) { return fail(ErrorCode::protocol, "roster", what); }

}  // namespace

Digest commit_to(const Secret32& self_seed, const Digest& setup) {
  // Not a Transcript, because the bytes contain the seed and must be wiped.
  static constexpr std::string_view label = "hansa secagg seed 1";
  Secret<label.size() + 64> bytes;
  auto to = std::ranges::copy(label, bytes.bytes().begin()).out;
  to = std::ranges::copy(setup.bytes, to).out;
  std::ranges::copy(self_seed.bytes(), to);
  return sha256(std::as_bytes(std::span(std::as_const(bytes).bytes())));
}

Result<void> sign(Advert& advert, std::string_view client, const Digest& setup, const SigningKey& key) {
  HANSA_TRY(advert.signature, key.sign(signed_part(advert, client, setup).view()));
  return {};
}

Result<void> check(const Advert& advert, const Certificate& certificate, const Digest& setup) {
  if (verify(certificate.identity, signed_part(advert, certificate.client, setup).view(), advert.signature))
    return {};
  return fail(ErrorCode::refused, "keys of " + certificate.client,
              "are not signed by its identity for this sum", {}, {ReasonCode::certificate_invalid, {}});
}

std::vector<std::byte> encode(const Roster& roster) {
  std::vector<std::byte> out;
  const auto append = [&out](std::span<const std::uint8_t> bytes) {
    const auto raw = std::as_bytes(bytes);
    out.insert(out.end(), raw.begin(), raw.end());
  };
  for (RosterEntry entry : roster) {
    const std::string& name = entry.certificate.client;
    out.push_back(static_cast<std::byte>(name.size()));
    append({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
    fields(entry, append);
  }
  return out;
}

Result<Roster> decode_roster(std::span<const std::byte> bytes) {
  Roster out;
  std::set<IdentityKey> identities;
  while (!bytes.empty()) {
    if (out.size() == clients_max) return malformed("has too many clients");
    RosterEntry entry;
    bool truncated = false;
    const auto take = [&](std::span<std::uint8_t> to) {
      truncated = truncated || bytes.size() < to.size();
      if (truncated) return;
      std::ranges::copy(bytes.first(to.size()), std::as_writable_bytes(to).begin());
      bytes = bytes.subspan(to.size());
    };
    const auto length = std::to_integer<std::size_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (length == 0 || length > name_bytes_max)
      return malformed("has a name that is empty or longer than 64 bytes");
    entry.certificate.client.resize(length);
    take({reinterpret_cast<std::uint8_t*>(entry.certificate.client.data()), length});
    fields(entry, take);
    if (truncated) return malformed("is truncated");
    if (!out.empty() && out.back().certificate.client >= entry.certificate.client)
      return malformed("is not sorted by name");
    // One device under two names would count as two.
    if (!identities.insert(entry.certificate.identity).second)
      return malformed("has one identity under two names");
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace hansa::secure_aggregation
