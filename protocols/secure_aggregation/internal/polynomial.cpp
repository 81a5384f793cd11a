#include "protocols/secure_aggregation/internal/polynomial.h"

#include <algorithm>
#include <utility>

#include "protocols/secure_aggregation/shamir.h"

namespace hansa::secure_aggregation::internal {
namespace {

void trim(Polynomial& polynomial) {
  while (!polynomial.empty() && polynomial.back() == 0) polynomial.pop_back();
}

}  // namespace

Polynomial add_product(Polynomial a, const Polynomial& b, const Polynomial& c) {
  if (!b.empty() && !c.empty()) a.resize(std::max(a.size(), b.size() + c.size() - 1));
  for (std::size_t i = 0; i < b.size(); ++i)
    for (std::size_t j = 0; j < c.size(); ++j) a[i + j] ^= field_multiply(b[i], c[j]);
  trim(a);
  return a;
}

Division divide(Polynomial dividend, const Polynomial& divisor) {
  if (dividend.size() < divisor.size()) return {{}, std::move(dividend)};
  Polynomial quotient(dividend.size() - divisor.size() + 1);
  const std::uint16_t inverse = field_invert(divisor.back());
  for (std::size_t i = quotient.size(); i-- > 0;) {
    quotient[i] = field_multiply(dividend[i + divisor.size() - 1], inverse);
    if (quotient[i] == 0) continue;
    for (std::size_t j = 0; j < divisor.size(); ++j)
      dividend[i + j] ^= field_multiply(quotient[i], divisor[j]);
  }
  trim(dividend);
  return {std::move(quotient), std::move(dividend)};
}

std::uint16_t evaluate(const Polynomial& polynomial, std::uint16_t x) {
  std::uint16_t value = 0;  // Horner's method
  for (std::size_t i = polynomial.size(); i-- > 0;) value = field_multiply(value, x) ^ polynomial[i];
  return value;
}

Polynomial with_roots(std::span<const std::uint16_t> points) {
  Polynomial product{1};
  for (const std::uint16_t point : points) {
    product.push_back(0);
    for (std::size_t i = product.size() - 1; i > 0; --i)
      product[i] = field_multiply(product[i], point) ^ product[i - 1];
    product[0] = field_multiply(product[0], point);
  }
  return product;
}

// Lagrange: the sum of value_i / w_i * roots / (x - point_i), where w_i = roots / (x - point_i) at point_i.
Polynomial interpolate(std::span<const std::uint16_t> points, std::span<const std::uint16_t> values,
                       const Polynomial& roots) {
  Polynomial sum(points.size()), others(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (values[i] == 0) continue;
    std::uint16_t carry = 0;  // synthetic division by x - point_i
    for (std::size_t j = points.size(); j-- > 0;)
      others[j] = carry = static_cast<std::uint16_t>(roots[j + 1] ^ field_multiply(carry, points[i]));
    const std::uint16_t factor = field_multiply(values[i], field_invert(evaluate(others, points[i])));
    for (std::size_t j = 0; j < others.size(); ++j) sum[j] ^= field_multiply(factor, others[j]);
  }
  trim(sum);
  return sum;
}

}  // namespace hansa::secure_aggregation::internal
