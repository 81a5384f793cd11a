// Shamir's secret sharing (How to share a secret, CACM 22(11), 1979) of 32 bytes over GF(2^16).
//
// The field is GF(2)[x] modulo x^16 + x^12 + x^3 + x + 1. A secret is 16 elements of two bytes, the low byte first.
// Each element is the value at 0 of its own polynomial; a share consists of the values of these polynomials at one x
// that is not 0. So a share has as many bytes as the secret, and there may be 65,535 holders. GF(2^8) would allow 255,
// fewer than the neighbours that a cohort of 1,000 needs against an active aggregator.
//
// No branch and no memory address depends on a secret. Which holder has which x is public.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

using ShareIndex = std::uint16_t;  // x, from 1

// The shares of a secret for x = 1 .. holders: any `threshold` of them rebuild it, fewer reveal nothing about it. Fails
// with `usage` unless 1 <= threshold <= holders <= 65,535. The coefficients come from OpenSSL's generator for private
// values; fails with `internal` if it has no random bytes.
[[nodiscard]] Result<std::vector<Secret32>> split_secret(const Secret32& secret, std::uint32_t threshold,
                                                         std::uint32_t holders);

// The same with given coefficients, threshold - 1 of them, that of x^1 first. For test vectors.
[[nodiscard]] std::vector<Secret32> split_with(const Secret32& secret, std::span<const Secret32> coefficients,
                                               std::uint32_t holders);

// The Lagrange coefficients at 0 for one set of holders. They are computed once and used for every secret of these
// holders.
class Interpolation {
 public:
  // `holders` has exactly `threshold` indices. Fails with `protocol` if an index is 0 or repeated, or there is none.
  [[nodiscard]] static Result<Interpolation> create(std::span<const ShareIndex> holders);
  // The shares are in the order of the holders.
  [[nodiscard]] Secret32 rebuild(std::span<const Secret32* const> shares) const;
  [[nodiscard]] std::size_t threshold() const { return coefficients_.size(); }

 private:
  std::vector<std::uint16_t> coefficients_;
};

// The arithmetic of the field, for tests.
[[nodiscard]] std::uint16_t field_multiply(std::uint16_t a, std::uint16_t b) noexcept;
[[nodiscard]] std::uint16_t field_invert(std::uint16_t a) noexcept;  // 0 for 0

}  // namespace hansa::secure_aggregation
