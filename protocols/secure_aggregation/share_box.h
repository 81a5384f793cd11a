// Encrypts the two shares that a client sends to another client, so that the aggregator can forward but not read them.
//
// AES-256-GCM with a key for this sender, receiver and context (keys.h, KeyPurpose::share_encryption). Each key
// encrypts one message only, so that the nonce may be zero. The context and both names are authenticated.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "common/digest.h"
#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

struct SharePair {
  Secret32 mask_key;  // share of the owner's secret key for pairwise masks: revealed if the owner dropped out
  Secret32 self_seed;  // share of the owner's self mask seed: revealed if its masked vector arrived
};

inline constexpr std::size_t sealed_bytes = 2 * 32 + 16;  // the two shares, and the tag
using SealedShares = std::array<std::uint8_t, sealed_bytes>;

struct Direction {
  Digest context;
  std::string_view from, to;
};

[[nodiscard]] Result<SealedShares> seal(const SharePair& shares, const Secret32& key,
                                        const Direction& direction);
// Fails with `protocol` if the shares were not encrypted with this key for this direction.
[[nodiscard]] Result<SharePair> open(const SealedShares& sealed, const Secret32& key,
                                     const Direction& direction);

}  // namespace hansa::secure_aggregation
