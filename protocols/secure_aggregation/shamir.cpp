#include "protocols/secure_aggregation/shamir.h"

#include <algorithm>
#include <array>

#include <openssl/rand.h>

namespace hansa::secure_aggregation {
namespace {

constexpr std::uint16_t reduction = 0x100B;  // x^16 = x^12 + x^3 + x + 1
constexpr std::size_t element_count = 16;

// The field elements of a secret or a share. The destructor wipes them.
struct Elements {
  std::array<std::uint16_t, element_count> values{};

  Elements() = default;
  explicit Elements(const Secret32& secret) {
    const auto bytes = secret.bytes();
    for (std::size_t i = 0; i < element_count; ++i)
      values[i] = static_cast<std::uint16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8));
  }
  ~Elements() { wipe({reinterpret_cast<std::uint8_t*>(values.data()), sizeof values}); }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  [[nodiscard]] Secret32 secret() const {
    Secret32 out;
    for (std::size_t i = 0; i < element_count; ++i) {
      out.bytes()[2 * i] = static_cast<std::uint8_t>(values[i]);
      out.bytes()[2 * i + 1] = static_cast<std::uint8_t>(values[i] >> 8);
    }
    return out;
  }
  void add(const Elements& other) noexcept {
    for (std::size_t i = 0; i < element_count; ++i) values[i] ^= other.values[i];
  }
  // Processes the public factor bit by bit, so that the compiler can vectorise over the elements.
  void multiply(std::uint16_t factor) noexcept {
    std::array<std::uint16_t, element_count> product{};
    for (int bit = 15; bit >= 0; --bit) {
      const auto take = static_cast<std::uint16_t>(-((factor >> bit) & 1));
      for (std::size_t i = 0; i < element_count; ++i) {
        const auto carry = static_cast<std::uint16_t>(-(product[i] >> 15));
        product[i] = static_cast<std::uint16_t>((product[i] << 1) ^ (carry & reduction) ^ (take & values[i]));
      }
    }
    values = product;
    wipe({reinterpret_cast<std::uint8_t*>(product.data()), sizeof product});
  }
};

}  // namespace

std::uint16_t field_multiply(std::uint16_t a, std::uint16_t b) noexcept {
  std::uint16_t product = 0;
  for (int bit = 15; bit >= 0; --bit) {
    const auto carry = static_cast<std::uint16_t>(-(product >> 15));
    const auto take = static_cast<std::uint16_t>(-((b >> bit) & 1));
    product = static_cast<std::uint16_t>((product << 1) ^ (carry & reduction) ^ (take & a));
  }
  return product;
}

// a^(2^16 - 2) is the inverse of a, by Fermat's little theorem for GF(2^16).
std::uint16_t field_invert(std::uint16_t a) noexcept {
  std::uint16_t result = 1, power = a;
  for (int i = 1; i < 16; ++i) {
    power = field_multiply(power, power);
    result = field_multiply(result, power);
  }
  return result;
}

std::vector<Secret32> split_with(const Secret32& secret, std::span<const Secret32> coefficients,
                                 std::uint32_t holders) {
  std::vector<Secret32> shares;
  shares.reserve(holders);
  const Elements constant(secret);
  for (std::uint32_t x = 1; x <= holders; ++x) {
    Elements value;  // Horner's method, from the highest power
    for (std::size_t i = coefficients.size(); i > 0; --i) {
      value.add(Elements(coefficients[i - 1]));
      value.multiply(static_cast<std::uint16_t>(x));
    }
    value.add(constant);
    shares.push_back(value.secret());
  }
  return shares;
}

Result<std::vector<Secret32>> split_secret(const Secret32& secret, std::uint32_t threshold,
                                           std::uint32_t holders) {
  if (threshold == 0 || threshold > holders || holders > 65'535)
    return fail(ErrorCode::usage, "secret sharing",
                "threshold " + std::to_string(threshold) + " of " + std::to_string(holders) + " holders",
                "1 <= threshold <= holders <= 65,535");
  std::vector<Secret32> coefficients(threshold - 1);
  for (Secret32& coefficient : coefficients)
    if (::RAND_priv_bytes(coefficient.bytes().data(), static_cast<int>(Secret32::size)) != 1)
      return fail(ErrorCode::internal, "OpenSSL", "has no random bytes");
  return split_with(secret, coefficients, holders);
}

Result<Interpolation> Interpolation::create(std::span<const ShareIndex> holders) {
  if (holders.empty()) return fail(ErrorCode::protocol, "shares", "have no holder");
  std::vector<ShareIndex> sorted(holders.begin(), holders.end());
  std::sort(sorted.begin(), sorted.end());
  if (sorted.front() == 0) return fail(ErrorCode::protocol, "shares", "have the index 0");
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return fail(ErrorCode::protocol, "shares", "have a repeated holder");
  Interpolation out;
  out.coefficients_.reserve(holders.size());
  for (const ShareIndex at : holders) {
    // The product of x_j / (x_j - x_i) over all other holders j. In this field subtraction is addition, an exclusive
    // or.
    std::uint16_t numerator = 1, denominator = 1;
    for (const ShareIndex other : holders) {
      if (other == at) continue;
      numerator = field_multiply(numerator, other);
      denominator = field_multiply(denominator, static_cast<std::uint16_t>(other ^ at));
    }
    out.coefficients_.push_back(field_multiply(numerator, field_invert(denominator)));
  }
  return out;
}

Secret32 Interpolation::rebuild(std::span<const Secret32* const> shares) const {
  Elements sum;
  for (std::size_t i = 0; i < coefficients_.size(); ++i) {
    Elements part(*shares[i]);
    part.multiply(coefficients_[i]);
    sum.add(part);
  }
  return sum.secret();
}

}  // namespace hansa::secure_aggregation
