// Polynomials over the field of shares, GF(2^16) (shamir.h), as far as decoding needs them. Coefficients are in
// ascending order and the last one is not 0; the zero polynomial has none. Time depends on the values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hansa::secure_aggregation::internal {

using Polynomial = std::vector<std::uint16_t>;

// a + b * c. In this field it is also a - b * c.
[[nodiscard]] Polynomial add_product(Polynomial a, const Polynomial& b, const Polynomial& c);

struct Division {
  Polynomial quotient, remainder;
};
// divisor is not zero.
[[nodiscard]] Division divide(Polynomial dividend, const Polynomial& divisor);

[[nodiscard]] std::uint16_t evaluate(const Polynomial& polynomial, std::uint16_t x);

// The product of (x - point) over all points.
[[nodiscard]] Polynomial with_roots(std::span<const std::uint16_t> points);

// The polynomial of the least degree with these values at the points, which differ from each other. roots:
// with_roots(points).
[[nodiscard]] Polynomial interpolate(std::span<const std::uint16_t> points,
                                     std::span<const std::uint16_t> values, const Polynomial& roots);

}  // namespace hansa::secure_aggregation::internal
