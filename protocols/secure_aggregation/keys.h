// Key agreement of one round: X25519 (RFC 7748) and HKDF-SHA256 (RFC 5869), computed by OpenSSL.
//
// A client generates two key pairs in each round. The shared secrets of the first encrypt shares; those of the second
// are the seeds of pairwise masks. Both are wiped at the end of the round.
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

// Fails with `internal` only if OpenSSL has no random bytes.
[[nodiscard]] Result<KeyPair> make_key_pair();
// The public key of a secret key, to check a secret key that was rebuilt from shares.
[[nodiscard]] Result<PublicKey> public_key_of(const Secret32& secret);

// The shared secret, which both sides compute from their own secret key and the other's public key. Fails with
// `protocol` if the public key is a point of low order, because the shared secret would be all zeros.
[[nodiscard]] Result<Secret32> agree(const Secret32& mine, const PublicKey& theirs);

// The purpose of a derived key. Its text is part of the derivation.
enum class KeyPurpose : std::uint8_t { pairwise_mask, self_mask, share_encryption };

// HKDF with the round's context as salt. The info is "hansa secagg 1", the purpose and two client names, each preceded
// by its length in two bytes, big-endian. Names have at most 64 bytes. For pairwise keys they are sorted, so that both
// sides derive the same key; for share encryption the sender is first.
[[nodiscard]] Secret32 derive_key(const Secret32& shared, const Digest& context, KeyPurpose purpose,
                                  std::string_view first, std::string_view second);

}  // namespace hansa::secure_aggregation
