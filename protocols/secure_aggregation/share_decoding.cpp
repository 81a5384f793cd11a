#include "protocols/secure_aggregation/share_decoding.h"

#include <utility>

#include "common/digest.h"
#include "protocols/secure_aggregation/internal/polynomial.h"

namespace hansa::secure_aggregation {
namespace {

// One field element for each share.
std::vector<std::uint16_t> combine(std::span<const Secret32* const> shares, std::uint8_t salt) {
  Sha256 hash;
  for (const Secret32* share : shares) hash.update(std::as_bytes(share->bytes()));
  hash.update(std::as_bytes(std::span(&salt, 1)));
  const Digest coefficients = hash.finish();
  std::vector<std::uint16_t> out;
  for (const Secret32* share : shares) {
    std::uint16_t sum = 0;
    for (std::size_t i = 0; i < Secret32::size; i += 2)
      sum ^=
          field_multiply(static_cast<std::uint16_t>(share->bytes()[i] | share->bytes()[i + 1] << 8),
                         static_cast<std::uint16_t>(coefficients.bytes[i] | coefficients.bytes[i + 1] << 8));
    out.push_back(sum);
  }
  return out;
}

}  // namespace

std::optional<std::vector<std::size_t>> find_wrong_shares(std::span<const ShareIndex> holders,
                                                          std::span<const Secret32* const> shares,
                                                          std::uint32_t threshold, std::uint8_t salt) {
  using namespace internal;
  const std::size_t n = holders.size();
  if (n < threshold) return std::nullopt;
  const std::vector<std::uint16_t> values = combine(shares, salt);
  // The extended Euclidean algorithm, stopped half-way: remainder = multiple of roots + factor * interpolation.
  Polynomial last = with_roots(holders), remainder = interpolate(holders, values, last);
  Polynomial last_factor, factor{1};
  while (!remainder.empty() && 2 * (remainder.size() - 1) >= n + threshold) {
    Division division = divide(std::move(last), remainder);
    last = std::exchange(remainder, std::move(division.remainder));
    Polynomial next = add_product(std::move(last_factor), division.quotient, factor);
    last_factor = std::exchange(factor, std::move(next));
  }
  const auto [polynomial, rest] = divide(std::move(remainder), factor);
  if (!rest.empty() || polynomial.size() > threshold) return std::nullopt;
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < n; ++i)
    if (evaluate(polynomial, holders[i]) != values[i]) wrong.push_back(i);
  if (2 * wrong.size() > n - threshold) return std::nullopt;
  return wrong;
}

}  // namespace hansa::secure_aggregation
