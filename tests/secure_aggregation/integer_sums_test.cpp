// Sums of integers, such as those of the statistics of the clients' data (common/column_statistics.h), are exact.
#include "protocols/secure_aggregation/integer_sums.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/quantise.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

Secret32 seed_of(std::uint64_t number) {
  Secret32 out;
  for (std::size_t i = 0; i < 8; ++i) out.bytes()[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

TEST(IntegerSums, AreExactForAnyNumberOfClients) {
  for (const std::uint32_t clients : {3U, 10U, 100U, 1000U}) {
    Random random(clients);
    SumSetup setup = testing::small_setup(clients);
    setup.segments = {{40, 1}};
    setup.quantisation = integer_quantisation(clients, 128);
    setup.metrics = {};
    ASSERT_TRUE(check(setup));
    std::vector<std::uint32_t> sum(vector_elements(setup)), numbers(sum.size());
    std::vector<std::int64_t> wanted(40);
    for (std::uint32_t c = 0; c < clients; ++c) {
      std::vector<float> values(40);
      for (std::size_t i = 0; i < values.size(); ++i) {
        // The extremes, and any integer between them.
        const std::int64_t value = i == 0   ? 128
                                   : i == 1 ? -128
                                            : static_cast<std::int64_t>(random.below(257)) - 128;
        values[i] = static_cast<float>(value);
        wanted[i] += value;
      }
      ASSERT_TRUE(quantise(values, 1, {}, setup, seed_of(c), numbers));
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
    }
    EXPECT_LT(std::ranges::max(sum), std::uint64_t{1} << setup.quantisation.ring_bits);
    std::vector<float> mean(40);
    const auto totals = dequantise(sum, clients, setup, mean);
    ASSERT_TRUE(totals) << totals.error().text();
    EXPECT_EQ(totals->weight, clients);
    for (std::size_t i = 0; i < mean.size(); ++i)
      EXPECT_EQ(std::llround(static_cast<double>(mean[i]) * clients), wanted[i]) << i;
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
