// Key agreement of one round: X25519 (RFC 7748) and HKDF-SHA256 (RFC 5869), by OpenSSL.
//
// A client makes two key pairs a round: one whose shared secrets encrypt shares, one whose shared secrets are seeds of
// pairwise masks. Fresh each round, and wiped with it.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "common/digest.h"
#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

using PublicKey = std::array<std::uint8_t, 32>;

struct KeyPair {
  Secret32 secret;
  PublicKey public_key{};
};

// Fails (internal) only if OpenSSL gives no randomness.
[[nodiscard]] Result<KeyPair> make_key_pair();
// The public key of a secret: to check one that was rebuilt from shares.
[[nodiscard]] Result<PublicKey> public_key_of(const Secret32& secret);

// What both sides get from their own secret and the other's public key. Fails (protocol) on a point of low order, whose
// shared secret would be all zero.
[[nodiscard]] Result<Secret32> agree(const Secret32& mine, const PublicKey& theirs);

// What a derived key is for. The text goes into the key.
enum class KeyPurpose : std::uint8_t { pairwise_mask, self_mask, share_encryption };

// HKDF with the round's context as salt, and as info "hansa secagg 1", the purpose, and the two identities in this order,
// each after its length in two bytes, big-endian. The identities are the operator's names of the clients, of 64 bytes at
// most; pairwise keys sort them, so that both sides derive the same; share keys name the sender first.
[[nodiscard]] Secret32 derive_key(const Secret32& shared, const Digest& context, KeyPurpose purpose,
                                  std::string_view first, std::string_view second);

}  // namespace hansa::secure_aggregation
