// Values as ring elements: rounding is unbiased, never exceeds the ring, and sums of scalars are exact.
#include "protocols/secure_aggregation/quantise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/range.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

Secret32 seed_of(std::uint64_t number) {
  Secret32 out;
  for (std::size_t i = 0; i < 8; ++i) out.bytes()[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

SumSetup setup_of(std::uint32_t clients, unsigned value_bits, std::size_t parameters) {
  const std::uint32_t levels = (1U << value_bits) - 1;
  SumSetup setup = testing::small_setup(clients);
  setup.segments = {{parameters, 1}};
  setup.quantisation = {levels, ring_bits(clients, levels), 0.5, 100};
  setup.metrics = {"loss", "accuracy"};
  return setup;
}

// At the extremes: if all clients have the largest element, the sum is still on the ring; one more would not be.
TEST(Quantise, TheSumOfAllCannotOverflow) {
  const float huge = std::numeric_limits<float>::max();
  for (const unsigned bits : {2U, 8U, 13U, 16U, 20U, 24U})
    for (const std::uint32_t clients : {3U, 100U, 255U}) {
      const SumSetup setup = setup_of(clients, bits, 3);
      std::vector<std::uint32_t> numbers(vector_elements(setup));
      ASSERT_TRUE(quantise(std::vector{huge, -huge, 0.0F}, (std::uint64_t{1} << 48) - 1,
                           {{"loss", 1e30, 1e30}}, setup, seed_of(bits), numbers));
      const std::uint64_t largest = (std::uint64_t{1} << bits) - 1;
      EXPECT_EQ(numbers[0], largest);
      EXPECT_EQ(numbers[1], 0U);
      for (const std::uint32_t number : numbers) EXPECT_LE(number, largest);
      EXPECT_LT(clients * largest, std::uint64_t{1} << setup.quantisation.ring_bits);
    }
}

TEST(Quantise, RoundsWithoutBias) {
  const SumSetup setup = setup_of(3, 4, 4);
  const std::vector values{0.123F, -0.3F, 0.4999F, 0.0F};
  const double level = 1.0 / 15;
  std::vector<double> mean(4);
  const int runs = 20'000;
  std::vector<std::uint32_t> numbers(vector_elements(setup));
  for (int run = 0; run < runs; ++run) {
    ASSERT_TRUE(quantise(values, 100, {}, setup, seed_of(static_cast<std::uint64_t>(run)), numbers));
    for (std::size_t i = 0; i < 4; ++i) mean[i] += (numbers[i] * level - 0.5) / runs;
  }
  // The standard deviation of one rounding is at most half a level: allow five standard deviations of the mean.
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(mean[i], values[i], 5 * level / 2 / std::sqrt(runs)) << i;
}

TEST(Quantise, TheSumIsTheWeightedMeanAndScalarsAreExact) {
  const std::uint32_t clients = 20;
  const std::size_t parameters = 5'000;
  for (const unsigned bits : {8U, 16U, 24U}) {
    const SumSetup setup = setup_of(clients, bits, parameters);
    Random random(bits);
    std::vector<std::uint32_t> sum(vector_elements(setup)), numbers(vector_elements(setup));
    std::vector<double> expected(parameters);
    double weights = 0, loss = 0, loss_count = 0;
    for (std::uint32_t client = 0; client < clients; ++client) {
      std::vector<float> values(parameters);
      for (float& value : values) value = static_cast<float>(random.normal() * 0.05);
      const std::uint64_t weight = 1 + random.below(200);
      for (std::size_t i = 0; i < parameters; ++i) expected[i] += values[i] * static_cast<double>(weight);
      weights += static_cast<double>(weight);
      Metrics metrics;
      if (client != 3) metrics = {{"unnamed", 5, 5}, {"loss", 1.5 * client - 7, static_cast<double>(weight)}};
      for (const Metric& metric : metrics)
        if (metric.name == "loss") {
          loss += metric.sum;
          loss_count += metric.count;
        }
      ASSERT_TRUE(quantise(values, weight, metrics, setup, seed_of(client), numbers));
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
    }
    std::vector<float> mean(parameters);
    const auto totals = dequantise(sum, clients, setup, mean);
    ASSERT_TRUE(totals) << totals.error().text();
    EXPECT_EQ(totals->weight, weights);
    ASSERT_EQ(totals->metrics.size(), 1U) << "no client has an accuracy";
    EXPECT_EQ(totals->metrics[0].metric, (Metric{"loss", loss, loss_count}));
    EXPECT_EQ(totals->metrics[0].reporters, clients - 1);
    const double level = 1.0 / ((1U << bits) - 1) * 100 / weights * std::sqrt(clients);
    double error = 0;
    for (std::size_t i = 0; i < parameters; ++i)
      error += std::pow(mean[i] - expected[i] / weights, 2) / static_cast<double>(parameters);
    EXPECT_LT(std::sqrt(error), level) << bits;
    EXPECT_FALSE(dequantise(sum, clients + 1, setup, mean)) << "a sum of others";
  }
}

// The values of one tensor are ten thousand times larger than those of its neighbour. With a scale for each tensor,
// both have the same relative precision.
TEST(Quantise, SegmentsOfVeryDifferentSizesKeepTheirOwnPrecision) {
  const std::uint32_t clients = 10;
  SumSetup setup = setup_of(clients, 8, 0);
  setup.segments = {{3'000, 1}, {7, 1}, {1'000, 1}};
  setup.quantisation = first_quantisation(clients, 100);
  const std::vector<double> sizes{1e-3, 10, 1e-5};
  const auto parameters = setup.parameters();
  std::vector<std::vector<float>> updates(clients, std::vector<float>(parameters));
  Random random(1);
  for (auto& update : updates) {
    std::size_t at = 0;
    for (std::size_t s = 0; s < 3; ++s)
      for (std::uint64_t i = 0; i < setup.segments[s].values; ++i)
        update[at++] = static_cast<float>(random.normal() * sizes[s]);
  }
  // The first round finds the scales; the second uses them.
  for (int round = 0; round < 2; ++round) {
    std::vector<std::uint32_t> sum(vector_elements(setup)), numbers(sum.size());
    std::vector<double> expected(parameters);
    for (std::uint32_t client = 0; client < clients; ++client) {
      ASSERT_TRUE(quantise(updates[client], 100, {}, setup, seed_of(client), numbers));
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
      for (std::size_t i = 0; i < parameters; ++i)
        expected[i] += updates[client][i] / static_cast<double>(clients);
    }
    std::vector<float> mean(parameters);
    const auto totals = dequantise(sum, clients, setup, mean);
    ASSERT_TRUE(totals) << totals.error().text();
    ASSERT_EQ(totals->scales.size(), 3U);
    std::size_t at = 0;
    for (std::size_t s = 0; s < 3; ++s) {
      EXPECT_NEAR(totals->scales[s] / sizes[s], 1, s == 1 ? 0.5 : 0.1);
      double error = 0;
      const auto values = static_cast<double>(setup.segments[s].values);
      for (std::uint64_t i = 0; i < setup.segments[s].values; ++i, ++at)
        error += std::pow(mean[at] - expected[at], 2) / values;
      // One level of 8 bits for each scale, averaged over ten clients.
      if (round == 1) {
        EXPECT_LT(std::sqrt(error), 0.02 * sizes[s]) << s;
      }
    }
    const auto range = choose_range(*totals, clients, 255, setup);
    for (std::size_t s = 0; s < 3; ++s) setup.segments[s].scale = range.scales[s];
    setup.quantisation = {255, ring_bits(clients, 255), range.clip, 100};
    EXPECT_GT(range.clip, 2.5);
    EXPECT_LT(range.clip, 8);
  }
}

// A few values have nearly all of the norm: on one grid for all, the others drown in its levels; rotated, all fit.
TEST(Quantise, RotatedValuesAreMoreExactOnAGridOfFewBits) {
  const std::uint32_t clients = 10;
  const std::size_t parameters = 8'000;
  std::vector<std::vector<float>> updates(clients, std::vector<float>(parameters));
  Random random(2);
  for (auto& update : updates)
    for (float& value : update)
      value = static_cast<float>(random.normal() * (random.chance(0.01) ? 1.0 : 0.01));
  const auto error_of = [&](bool rotated) {
    SumSetup setup = setup_of(clients, 4, parameters);
    setup.quantisation = first_quantisation(clients, 100);
    double error = 0, length = 0;
    // The first round knows no scales, and the second no clip.
    for (int round = 0; round < 3; ++round) {
      setup.quantisation.rotated = rotated;
      std::vector<std::uint32_t> sum(vector_elements(setup)), numbers(sum.size());
      for (std::uint32_t client = 0; client < clients; ++client) {
        EXPECT_TRUE(quantise(updates[client], 100, {}, setup, seed_of(client), numbers));
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
      }
      std::vector<float> mean(parameters);
      const auto totals = dequantise(sum, clients, setup, mean);
      EXPECT_TRUE(totals);
      error = length = 0;
      for (std::size_t i = 0; i < parameters; ++i) {
        double expected = 0;
        for (const auto& update : updates) expected += update[i] / static_cast<double>(clients);
        error += std::pow(mean[i] - expected, 2);
        length += std::pow(expected, 2);
      }
      const auto range = choose_range(*totals, clients, 15, setup);
      setup.segments[0].scale = range.scales[0];
      setup.quantisation = {15, ring_bits(clients, 15), range.clip, 100};
    }
    return error / length;
  };
  const double rotated = error_of(true);
  EXPECT_LT(rotated, 0.05);
  EXPECT_GT(error_of(false), 5 * rotated);
}

TEST(Quantise, AFractionOfTheValuesIsSummedAndTheClientKeepsTheRest) {
  SumSetup setup = setup_of(3, 16, 5'000);
  setup.quantisation.rotated = true;
  setup.quantisation.fraction = 0.25;
  setup.quantisation.clip = 4;
  EXPECT_LT(vector_elements(setup), 1'600U);
  std::vector<float> values(5'000), left(5'000), mean(5'000);
  Random random(1);
  for (float& value : values) value = static_cast<float>(random.normal());
  std::vector<std::uint32_t> sum(vector_elements(setup)), numbers(sum.size());
  for (std::uint32_t client = 0; client < 3; ++client) {
    ASSERT_TRUE(quantise(values, 100, {}, setup, seed_of(client), numbers));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
  }
  ASSERT_TRUE(dequantise(sum, 3, setup, mean));
  left_out(values, setup, left);
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(mean[i] + left[i], values[i], 2e-3) << i;
}

}  // namespace
}  // namespace hansa::secure_aggregation
