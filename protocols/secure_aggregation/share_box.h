// A client's two shares for one other client, encrypted so that the aggregator can carry but not read them.
//
// AES-256-GCM with the key of this direction of this pair in this context (keys.h, KeyPurpose::share_encryption). The key
// is used for one message, so that the nonce is zero. The context and both names are authenticated.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "common/digest.h"
#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

struct SharePair {
  Secret32 mask_key;  // of the owner's secret key for pairwise masks: told if the owner dropped out
  Secret32 self_seed;  // of the owner's self mask seed: told if its masked vector arrived
};

inline constexpr std::size_t sealed_bytes = 2 * 32 + 16;  // the two shares, and the tag
using SealedShares = std::array<std::uint8_t, sealed_bytes>;

struct Direction {
  Digest context;
  std::string_view from, to;
};

[[nodiscard]] Result<SealedShares> seal(const SharePair& shares, const Secret32& key,
                                        const Direction& direction);
// Fails (protocol) if it was not sealed with this key for this direction.
[[nodiscard]] Result<SharePair> open(const SealedShares& sealed, const Secret32& key,
                                     const Direction& direction);

}  // namespace hansa::secure_aggregation
