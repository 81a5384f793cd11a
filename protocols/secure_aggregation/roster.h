// Key adverts, and the roster of those that arrived. All clients of a cohort must receive the same roster.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/keys.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

// A client's first message: its keys for this sum.
struct Advert {
  PublicKey share_key{}, mask_key{};
  // SHA-256 of "hansa secagg seed 1", setup and seed: detects a seed that was rebuilt from wrong shares.
  Digest self_seed_commitment;
  std::array<std::uint8_t, 32> nonce{};  // random, so that the aggregator cannot choose the graph's seed
  // The identity's signature of "hansa secagg advert 1", setup, name and the four fields above.
  Signature signature{};
};

[[nodiscard]] Digest commit_to(const Secret32& self_seed, const Digest& setup);
[[nodiscard]] Result<void> sign(Advert& advert, std::string_view client, const Digest& setup,
                                const SigningKey& key);
// Fails with `refused` unless the certificate's owner signed the advert for this setup.
[[nodiscard]] Result<void> check(const Advert& advert, const Certificate& certificate, const Digest& setup);

struct RosterEntry {
  Certificate certificate;
  Advert advert;
};
// Sorted by name, without duplicates.
using Roster = std::vector<RosterEntry>;

// Each entry is a byte with the name's length, the name, identity, the certificate's epoch, issue and expiry (4, 8 and
// 8 bytes, high byte first) and signature, share key, mask key, commitment, nonce and the advert's signature.
[[nodiscard]] std::vector<std::byte> encode(const Roster& roster);
// Fails with `protocol` if the bytes are truncated, not sorted by name, have more than clients_max entries, or have an
// identity under two names. Does not check signatures.
[[nodiscard]] Result<Roster> decode_roster(std::span<const std::byte> bytes);
inline constexpr std::size_t roster_bytes_max = clients_max * (1 + 64 + 4 * 32 + 20 + 32 + 2 * 64);

}  // namespace hansa::secure_aggregation
