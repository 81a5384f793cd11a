// Finds the wrong shares among the revealed shares of one secret.
//
// The shares of a secret are a Reed-Solomon codeword (McEliece, Sarwate, "On sharing secrets and Reed-Solomon codes",
// CACM 24(9), 1981): n of them show which f are wrong if n >= threshold + 2f. The decoder is Gao's ("A new algorithm
// for decoding Reed-Solomon codes", 2003, algorithm 1), which needs about 6 n^2 multiplications.
//
// All 16 elements of a share are wrong or right together, so that one linear combination of them is decoded. Its
// coefficients are a hash of all shares and of `salt`: a client that sends a share cannot choose it so that the error
// cancels, and a wrong share escapes with probability 2^-16. The aggregator was sent the shares, so that its time may
// depend on them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/secret.h"
#include "protocols/secure_aggregation/shamir.h"

namespace hansa::secure_aggregation {

// The indices of the wrong shares, ascending. nullopt: there are too many of them, or too few shares. holders differ
// from each other, and there are as many as shares.
[[nodiscard]] std::optional<std::vector<std::size_t>> find_wrong_shares(
    std::span<const ShareIndex> holders, std::span<const Secret32* const> shares, std::uint32_t threshold,
    std::uint8_t salt = 0);

}  // namespace hansa::secure_aggregation
