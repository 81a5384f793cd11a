// Shamir's secret sharing (How to share a secret, CACM 22(11), 1979) of 32 bytes over GF(2^16).
//
// The field is GF(2)[x] modulo x^16 + x^12 + x^3 + x + 1. A secret is 16 elements, each of two bytes, the low one first;
// each is the value at 0 of a polynomial of its own, and a share is the values of these at one x that is not 0. So a share
// has as many bytes as the secret, and there may be 65,535 holders: GF(2^8) would allow 255, fewer than the neighbours
// that a cohort of 1,000 needs against a malicious aggregator.
//
// Arithmetic takes no branch and no memory address from a secret. Who holds which x is public.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

using ShareIndex = std::uint16_t;  // x, from 1

// Shares of secret for x = 1 .. holders: any `threshold` of them rebuild it, fewer tell nothing about it.
// 1 <= threshold <= holders <= 65,535, else fails (usage). Randomness is OpenSSL's for private values; fails
// (internal) if that gives none.
[[nodiscard]] Result<std::vector<Secret32>> split_secret(const Secret32& secret, std::uint32_t threshold,
                                                         std::uint32_t holders);

// As above with given coefficients, (threshold - 1) secrets, that of x^1 first: for test vectors.
[[nodiscard]] std::vector<Secret32> split_with(const Secret32& secret, std::span<const Secret32> coefficients,
                                               std::uint32_t holders);

// Lagrange's coefficients at 0 for one set of holders: computed once, used for every secret they hold.
class Interpolation {
 public:
  // The holders' indices, exactly `threshold` of them. Fails (protocol) if one is 0 or there twice, or if there are none.
  [[nodiscard]] static Result<Interpolation> create(std::span<const ShareIndex> holders);
  // Shares in the order of the holders.
  [[nodiscard]] Secret32 rebuild(std::span<const Secret32* const> shares) const;
  [[nodiscard]] std::size_t threshold() const { return coefficients_.size(); }

 private:
  std::vector<std::uint16_t> coefficients_;
};

// Of the field, for tests.
[[nodiscard]] std::uint16_t field_multiply(std::uint16_t a, std::uint16_t b) noexcept;
[[nodiscard]] std::uint16_t field_invert(std::uint16_t a) noexcept;  // 0 for 0

}  // namespace hansa::secure_aggregation
