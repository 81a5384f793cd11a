// The exact sums of columns: against integers of any length in the form of a long double reference, and against each
// other over many clients.
#include "common/column_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/random.h"

namespace hansa {
namespace {

// Any finite float32, of any magnitude.
float any_float(Random& random) {
  while (true) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    if (std::isfinite(value)) return value;
  }
}

std::vector<float> digits_of(std::span<const float> values) {
  ColumnSums sums(1);
  EXPECT_TRUE(sums.add(0, values));
  std::vector<float> out(statistics_digits);
  sums.write(out);
  return out;
}

// The mean over clients, as a round computes it: in double, rounded to float32.
std::vector<float> mean_of(const std::vector<std::vector<float>>& clients) {
  std::vector<float> out(clients.front().size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    double sum = 0;
    for (const auto& client : clients) sum += client[i];
    out[i] = static_cast<float>(sum / static_cast<double>(clients.size()));
  }
  return out;
}

// In long double, in two passes: good enough for data without extreme cancellation.
struct Reference {
  long double mean = 0, deviation = 0;
};
Reference reference_of(std::span<const float> values) {
  Reference out;
  const auto count = static_cast<long double>(values.size());
  for (const float value : values) out.mean += value;
  out.mean /= count;
  long double squares = 0;
  for (const float value : values) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / count);
  return out;
}

void expect_near(double found, long double wanted) {
  EXPECT_LE(std::abs(static_cast<long double>(found) - wanted), 1e-14L * std::abs(wanted)) << found;
}

TEST(ColumnStatistics, DigitsAreSmallIntegers) {
  Random random(1);
  for (int run = 0; run < 50; ++run) {
    std::vector<float> values(100);
    std::ranges::generate(values, [&] { return any_float(random); });
    for (const float digit : digits_of(values)) {
      EXPECT_EQ(digit, std::floor(digit));
      EXPECT_LE(std::abs(digit), statistics_digit_max);
    }
  }
}

// The sums of many clients are those of one client that has all the data, bit for bit, with values of every magnitude.
TEST(ColumnStatistics, ManyClientsAreAsOneWithAllData) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    const std::size_t clients = 1 + random.below(40);
    std::vector<float> all;
    std::vector<std::vector<float>> digits;
    for (std::size_t i = 0; i < clients; ++i) {
      std::vector<float> own(1 + random.below(30));
      // Half of the clients have small values: large ones must not swallow them.
      std::ranges::generate(own, [&] { return i % 2 == 0 ? any_float(random) : any_float(random) * 1e-30F; });
      all.insert(all.end(), own.begin(), own.end());
      digits.push_back(digits_of(own));
    }
    const auto together = statistics_of_digits(mean_of(digits), static_cast<std::uint32_t>(clients));
    const auto alone = statistics_of_digits(digits_of(all), 1);
    ASSERT_EQ(together.has_value(), alone.has_value()) << "seed " << seed;
    if (!together) continue;
    EXPECT_EQ(*together, *alone) << "seed " << seed;
  }
}

TEST(ColumnStatistics, EqualThoseOfALongDouble) {
  Random random(7);
  for (const double scale : {1e-20, 1e-3, 1.0, 1e6, 1e18}) {
    std::vector<float> values(1000);
    std::ranges::generate(values, [&] { return static_cast<float>((random.uniform() - 0.3) * scale); });
    const auto found = statistics_of_digits(digits_of(values), 1);
    ASSERT_TRUE(found);
    const Reference wanted = reference_of(values);
    expect_near(found->means[0], wanted.mean);
    expect_near(found->deviations[0], wanted.deviation);
  }
}

// The textbook formula in double gives 0 or NaN here.
TEST(ColumnStatistics, ASmallDeviationAroundALargeMeanIsExact) {
  const float base = 16'777'216;  // 2^24: the next float32 is 2 more
  const auto found =
      statistics_of_digits(digits_of(std::vector<float>{base, base + 2, base + 4, base + 6}), 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->means[0], 16'777'219.0);
  EXPECT_DOUBLE_EQ(found->deviations[0], std::sqrt(5.0));
}

TEST(ColumnStatistics, TheExtremesOfFloat32AreSummed) {
  const float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  const auto both = statistics_of_digits(digits_of(std::vector<float>{most, -most, least, least}), 1);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->means[0], std::ldexp(0.5, -149));
  EXPECT_DOUBLE_EQ(both->deviations[0], static_cast<double>(most) * std::sqrt(0.5));
  const auto tiny = statistics_of_digits(digits_of(std::vector<float>{-least, least}), 1);
  ASSERT_TRUE(tiny);
  EXPECT_EQ(tiny->means[0], 0);
  EXPECT_DOUBLE_EQ(tiny->deviations[0], static_cast<double>(least));
}

TEST(ColumnStatistics, AConstantColumnHasNoDeviation) {
  const auto found = statistics_of_digits(digits_of(std::vector<float>(77, -0.1F)), 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->means[0], static_cast<double>(-0.1F));
  EXPECT_EQ(found->deviations[0], 0);
}

TEST(ColumnStatistics, TheMostClientsAreSummedExactly) {
  const std::vector<float> own = digits_of(std::vector<float>{-1.5F, 3.25F});
  // All clients have the same digits but one: the sum differs by one digit of one client.
  std::vector<float> other = digits_of(std::vector<float>{-1.5F, std::nextafterf(3.25F, 4)});
  std::vector<float> means(own.size());
  const auto clients = static_cast<double>(statistics_clients_max);
  for (std::size_t i = 0; i < own.size(); ++i)
    means[i] = static_cast<float>((own[i] * (clients - 1) + other[i]) / clients);
  const auto found = statistics_of_digits(means, statistics_clients_max);
  ASSERT_TRUE(found);
  const long double step = std::nextafterf(3.25F, 4) - 3.25F;
  expect_near(found->means[0], 0.875L + step / (2.0L * statistics_clients_max));
}

TEST(ColumnStatistics, ValuesThatAreNotFiniteAreRefused) {
  ColumnSums sums(1);
  EXPECT_FALSE(sums.add(0, std::vector<float>{1, std::numeric_limits<float>::infinity()}));
  EXPECT_FALSE(sums.add(0, std::vector<float>{std::numeric_limits<float>::quiet_NaN()}));
}

// What a client that lies can send: digits of any size within the clip.
TEST(AdversaryColumnStatistics, SumsOfNoDataAreRefused) {
  const auto refused = [](std::size_t at, float digit) {
    std::vector<float> digits = digits_of(std::vector<float>{1, 2, 3});
    digits[at] = digit;
    return !statistics_of_digits(digits, 1);
  };
  EXPECT_TRUE(refused(5, -128));  // a negative count
  EXPECT_TRUE(refused(6 + 40 + 74, -128));  // negative squares
  EXPECT_TRUE(refused(6 + 39, 127));  // a mean beyond float32, and a spread below 0
  std::vector<float> nothing(statistics_digits);
  EXPECT_FALSE(statistics_of_digits(nothing, 1));  // a count of 0
}

TEST(AdversaryColumnStatistics, AnyDigitsGiveFiniteStatisticsOrNone) {
  Random random(11);
  std::size_t accepted = 0;
  for (int run = 0; run < 2000; ++run) {
    std::vector<float> digits = digits_of(std::vector<float>{1, 2, 3});
    for (std::size_t changes = 1 + random.below(3); changes > 0; --changes)
      digits[random.below(digits.size())] = static_cast<float>(static_cast<int>(random.below(257)) - 128);
    const auto found = statistics_of_digits(digits, 1);
    if (!found) continue;
    ++accepted;
    EXPECT_TRUE(statistics_of_vector(vector_of(*found)));
  }
  EXPECT_GT(accepted, 0U);
}

TEST(ColumnStatistics, TheVectorKeepsEveryBit) {
  Random random(3);
  ColumnStatistics wanted;
  for (int i = 0; i < 100; ++i) {
    wanted.means.push_back((random.uniform() - 0.5) *
                           std::exp2(static_cast<double>(random.below(200)) - 100));
    wanted.deviations.push_back(random.uniform() * std::exp2(static_cast<double>(random.below(600)) - 500));
  }
  const std::vector<float> vector = vector_of(wanted);
  EXPECT_EQ(vector.size(), 100 * statistics_vector_values);
  const auto found = statistics_of_vector(vector);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, wanted);
}

TEST(AdversaryColumnStatistics, AVectorOfOtherValuesIsRefused) {
  const std::vector<float> good = vector_of({{1.5}, {2.5}});
  ASSERT_TRUE(statistics_of_vector(good));
  EXPECT_FALSE(statistics_of_vector({}));
  EXPECT_FALSE(statistics_of_vector(std::span(good).first(7)));
  for (const float wrong : {-1.0F, 0.5F, 65'536.0F, std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity()}) {
    std::vector<float> bad = good;
    bad[2] = wrong;
    EXPECT_FALSE(statistics_of_vector(bad)) << wrong;
  }
  EXPECT_FALSE(statistics_of_vector(vector_of({{std::numeric_limits<double>::infinity()}, {1}})));
  EXPECT_FALSE(statistics_of_vector(vector_of({{1e39}, {1}})));
  EXPECT_FALSE(statistics_of_vector(vector_of({{1}, {-1}})));
  EXPECT_FALSE(statistics_of_vector(vector_of({{1}, {std::numeric_limits<double>::quiet_NaN()}})));
}

}  // namespace
}  // namespace hansa
