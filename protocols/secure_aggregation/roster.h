// Key adverts, and the roster of those that arrived: what all clients of a cohort must see alike.
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

// What a client says first: its keys for this sum alone.
struct Advert {
  PublicKey share_key{}, mask_key{};
  Digest
      self_seed_commitment;  // SHA-256 of "hansa secagg seed 1", setup, seed: tells a seed that was rebuilt wrongly
  std::array<std::uint8_t, 32> nonce{};  // random: the graph's seed is not the aggregator's choice
  Signature signature{};  // by the identity over "hansa secagg advert 1", setup, name and the four above
};

[[nodiscard]] Digest commit_to(const Secret32& self_seed, const Digest& setup);
[[nodiscard]] Result<void> sign(Advert& advert, std::string_view client, const Digest& setup,
                                const SigningKey& key);
// Fails (refused) unless the certificate's owner signed it for this setup.
[[nodiscard]] Result<void> check(const Advert& advert, const Certificate& certificate, const Digest& setup);

struct RosterEntry {
  Certificate certificate;
  Advert advert;
};
// Strictly ascending by name.
using Roster = std::vector<RosterEntry>;

// A byte with the name's length and the name, identity, certificate's signature, share key, mask key, commitment, nonce,
// advert's signature: one entry after the other.
[[nodiscard]] std::vector<std::byte> encode(const Roster& roster);
// Fails (protocol) if it is cut short, not in order, or of more than clients_max. Signatures are not checked.
[[nodiscard]] Result<Roster> decode_roster(std::span<const std::byte> bytes);
inline constexpr std::size_t roster_bytes_max = clients_max * (1 + 64 + 4 * 32 + 32 + 2 * 64);

}  // namespace hansa::secure_aggregation
