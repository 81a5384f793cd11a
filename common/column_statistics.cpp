#include "common/column_statistics.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <memory>

#include <openssl/bn.h>

namespace hansa {
namespace {

constexpr std::size_t count_digits = 6, sum_digits = 40, square_digits = 75;
static_assert(count_digits + sum_digits + square_digits == statistics_digits);
constexpr std::uint64_t count_max = std::uint64_t{1} << 40;
constexpr std::uint64_t word_mask = 0xffffffff;
// Additions to a word until its carries are propagated: each adds less than 2^33.
constexpr std::uint64_t propagate_every = std::uint64_t{1} << 28;
constexpr int unit_exponent = -149;  // of a float32, binary

// The digits of a number whose bytes, as a two's complement, are bytes(0), bytes(1), ...
template <class Bytes>
void write_digits(const Bytes& bytes, std::span<float> digits) {
  int carry = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = static_cast<int>(bytes(i)) + carry;
    carry = digit >= 128 ? 1 : 0;
    digit -= 256 * carry;
    digits[i] = static_cast<float>(digit);
  }
}

struct Free {
  void operator()(BIGNUM* number) const { ::BN_free(number); }
  void operator()(BN_CTX* context) const { ::BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, Free>;
using Context = std::unique_ptr<BN_CTX, Free>;

tl::unexpected<Error> fail_memory() {
  return fail(ErrorCode::resource, "statistics", "got no memory for their numbers");
}

// The number whose digits have these sums.
Result<Number> number_of(std::span<const std::int64_t> digits) {
  std::vector<unsigned char> bytes;
  std::int64_t carry = 0;
  const auto push = [&](std::int64_t value) {
    bytes.push_back(static_cast<unsigned char>(value & 255));
    carry = value >> 8;
  };
  for (const std::int64_t digit : digits) push(digit + carry);
  while (carry != 0 && carry != -1) push(carry);
  const bool is_negative = carry == -1;
  if (is_negative) {
    int one = 1;  // the negative of a two's complement: inverted, plus 1
    for (unsigned char& byte : bytes) {
      const int value = (255 - byte) + one;
      one = value >> 8;
      byte = static_cast<unsigned char>(value & 255);
    }
    bytes.push_back(static_cast<unsigned char>(one));
  }
  Number out(::BN_lebin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  if (!out) return fail_memory();
  ::BN_set_negative(out.get(), is_negative ? 1 : 0);
  return out;
}

// value * 2^exponent, with the 64 leading bits of a number.
struct Real {
  double value = 0;
  int exponent = 0;
};
Result<Real> real_of(const BIGNUM& number) {
  Real out;
  out.exponent = std::max(::BN_num_bits(&number) - 64, 0);
  const Number leading(::BN_new());
  std::array<unsigned char, 8> bytes{};
  if (!leading || ::BN_rshift(leading.get(), &number, out.exponent) != 1 ||
      ::BN_bn2lebinpad(leading.get(), bytes.data(), static_cast<int>(bytes.size())) < 0)
    return fail_memory();
  std::uint64_t magnitude = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) magnitude = (magnitude << 8) | bytes[i];
  out.value = static_cast<double>(magnitude);
  if (::BN_is_negative(&number) == 1) out.value = -out.value;
  return out;
}

tl::unexpected<Error> no_statistics(std::size_t column) {
  return fail(ErrorCode::protocol, "statistics",
              "cannot be those of any data: column " + std::to_string(column + 1),
              "a client sends something else; remove clients that you do not trust, and start again");
}

struct Moments {
  double mean = 0, deviation = 0;
};

Result<Moments> moments_of(std::span<const std::int64_t> digits, std::size_t column, BN_CTX& context) {
  HANSA_TRY(const Number count, number_of(digits.first(count_digits)));
  HANSA_TRY(const Number sum, number_of(digits.subspan(count_digits, sum_digits)));
  HANSA_TRY(const Number squares, number_of(digits.subspan(count_digits + sum_digits)));
  if (::BN_is_negative(count.get()) == 1 || ::BN_is_zero(count.get()) == 1) return no_statistics(column);
  // The variance is (count * squares - sum^2) / count^2, of which the difference is exact.
  const Number spread(::BN_new()), square_of_sum(::BN_new());
  if (!spread || !square_of_sum || ::BN_mul(spread.get(), count.get(), squares.get(), &context) != 1 ||
      ::BN_sqr(square_of_sum.get(), sum.get(), &context) != 1 ||
      ::BN_sub(spread.get(), spread.get(), square_of_sum.get()) != 1)
    return fail_memory();
  if (::BN_is_negative(spread.get()) == 1) return no_statistics(column);
  HANSA_TRY(const Real n, real_of(*count));
  HANSA_TRY(const Real s, real_of(*sum));
  HANSA_TRY(const Real d, real_of(*spread));
  const Moments out{
      std::ldexp(s.value / n.value, s.exponent - n.exponent + unit_exponent),
      std::sqrt(std::ldexp(d.value / n.value / n.value, d.exponent - 2 * (n.exponent - unit_exponent)))};
  constexpr double most = std::numeric_limits<float>::max();
  if (!(std::abs(out.mean) <= most) || !(out.deviation <= most)) return no_statistics(column);
  return out;
}

void append_parts(double value, std::vector<float>& out) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned shift = 0; shift < 64; shift += 16)
    out.push_back(static_cast<float>((bits >> shift) & 0xffff));
}

// Not a number if the parts are none.
double value_of_parts(std::span<const float> parts) {
  std::uint64_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) {
    const float part = parts[i];
    if (!(part >= 0 && part <= 0xffff) || part != std::floor(part))
      return std::numeric_limits<double>::quiet_NaN();
    bits = (bits << 16) | static_cast<std::uint64_t>(part);
  }
  return std::bit_cast<double>(bits);
}

}  // namespace

const MethodDescription& statistics_method_description() {
  static const MethodDescription description{std::string(statistics_method), {}, {}, {}, {}};
  return description;
}

const MethodTable& methods_with_statistics() {
  static const MethodTable table = [] {
    MethodTable out = built_in_methods();
    out.push_back(statistics_method_description());
    return out;
  }();
  return table;
}

template <std::size_t Words>
void ColumnSums::Sum<Words>::add(std::uint64_t magnitude, unsigned position, bool negative) {
  const std::size_t word = position / 32;
  const unsigned shift = position % 32;
  const std::uint64_t low = (magnitude & word_mask) << shift, high = (magnitude >> 32) << shift;
  const auto add_to = [&](std::size_t at, std::uint64_t part) {
    words[at] += negative ? -static_cast<std::int64_t>(part) : static_cast<std::int64_t>(part);
  };
  add_to(word, low & word_mask);
  add_to(word + 1, (low >> 32) + (high & word_mask));
  add_to(word + 2, high >> 32);
}

template <std::size_t Words>
void ColumnSums::Sum<Words>::propagate() {
  for (std::size_t i = 0; i + 1 < Words; ++i) {
    words[i + 1] += words[i] >> 32;
    words[i] &= static_cast<std::int64_t>(word_mask);
  }
}

template <std::size_t Words>
void ColumnSums::Sum<Words>::write(std::span<float> digits) const {
  Sum propagated = *this;
  propagated.propagate();
  assert(digits.size() <= 4 * Words);
  write_digits([&](std::size_t i) { return (propagated.words[i / 4] >> (8 * (i % 4))) & 255; }, digits);
}

Result<void> ColumnSums::add(std::size_t column, std::span<const float> values) {
  Column& to = columns_[column];
  if (values.size() > count_max - to.count)
    return fail(ErrorCode::resource, "statistics", "are of more values than can be counted");
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t exponent = (bits >> 23) & 0xff;
    if (exponent == 0xff) return fail(ErrorCode::data, "statistics", "are of a value that is not finite");
    // 2^23 is the leading bit, which numbers below the normal range do not have.
    const std::uint64_t magnitude = (bits & 0x7fffff) | (exponent == 0 ? 0 : 0x800000);
    const unsigned position = exponent == 0 ? 0 : exponent - 1;
    to.values.add(magnitude, position, (bits >> 31) != 0);
    to.squares.add(magnitude * magnitude, 2 * position, false);
    if (++to.count % propagate_every == 0) {
      to.values.propagate();
      to.squares.propagate();
    }
  }
  return {};
}

void ColumnSums::write(std::span<float> digits) const {
  assert(digits.size() == columns_.size() * statistics_digits);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = columns_[c];
    const auto out = digits.subspan(c * statistics_digits, statistics_digits);
    write_digits([&](std::size_t i) { return (column.count >> (8 * i)) & 255; }, out.first(count_digits));
    column.values.write(out.subspan(count_digits, sum_digits));
    column.squares.write(out.subspan(count_digits + sum_digits));
  }
}

Result<ColumnStatistics> statistics_of_digits(std::span<const float> means, std::uint32_t clients) {
  assert(means.size() % statistics_digits == 0 && clients >= 1 && clients <= statistics_clients_max);
  const Context context(::BN_CTX_new());
  if (!context) return fail_memory();
  ColumnStatistics out;
  std::array<std::int64_t, statistics_digits> sums{};
  for (std::size_t c = 0; c < means.size() / statistics_digits; ++c) {
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = std::llround(static_cast<double>(means[c * statistics_digits + i]) * clients);
    HANSA_TRY(const Moments moments, moments_of(sums, c, *context));
    out.means.push_back(moments.mean);
    out.deviations.push_back(moments.deviation);
  }
  return out;
}

std::vector<float> vector_of(const ColumnStatistics& statistics) {
  std::vector<float> out;
  for (std::size_t c = 0; c < statistics.columns(); ++c) {
    append_parts(statistics.means[c], out);
    append_parts(statistics.deviations[c], out);
  }
  return out;
}

Result<ColumnStatistics> statistics_of_vector(std::span<const float> vector) {
  const auto wrong = [] {
    return fail(ErrorCode::protocol, "statistics", "are not those of columns of float32 values");
  };
  const std::size_t columns = vector.size() / statistics_vector_values;
  if (vector.size() % statistics_vector_values != 0 || columns == 0 || columns > statistics_columns_max)
    return wrong();
  constexpr double most = std::numeric_limits<float>::max();
  ColumnStatistics out;
  for (std::size_t c = 0; c < columns; ++c) {
    const auto parts = vector.subspan(c * statistics_vector_values, statistics_vector_values);
    const double mean = value_of_parts(parts.first(4)), deviation = value_of_parts(parts.subspan(4));
    if (!(std::abs(mean) <= most) || !(deviation >= 0 && deviation <= most)) return wrong();
    out.means.push_back(mean);
    out.deviations.push_back(deviation);
  }
  return out;
}

}  // namespace hansa
