// Attacks by one client of a sum that sends numbers which are not an update's. Nobody sees its vector, only the sum.
#include <cmath>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::uint32_t clients = 5;
constexpr std::size_t values = 300;

SumSetup setup_of(double scale) {
  SumSetup out = testing::small_setup(clients);
  out.segments = {{values, scale}, {values, scale}};
  out.metrics = {"loss"};
  const Grid grid = choose_grid(clients, 6);
  out.quantisation = {grid.levels, grid.ring_bits, 4, 100};
  return out;
}

// The vector of an honest client.
std::vector<std::uint32_t> vector_of(const SumSetup& setup, std::uint8_t client, float size) {
  Random random(client);
  std::vector<float> update(2 * values);
  for (float& value : update) value = size * static_cast<float>(random.normal());
  Secret32 seed;
  seed.bytes()[0] = client;
  std::vector<std::uint32_t> out(vector_elements(setup));
  EXPECT_TRUE(quantise(update, 100, {{"loss", 1, 100}}, setup, seed, out));
  return out;
}

std::vector<std::uint32_t> sum_of(const std::vector<std::vector<std::uint32_t>>& vectors) {
  std::vector<std::uint32_t> out(vectors.front().size());
  for (const auto& vector : vectors)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += vector[i];
  return out;
}

TEST(AdversaryScalars, NoElementOfASumExceedsWhatItsClientsCanAddUpTo) {
  const SumSetup setup = setup_of(0.5);
  std::vector<std::vector<std::uint32_t>> vectors;
  for (std::uint8_t i = 0; i < clients; ++i) vectors.push_back(vector_of(setup, i, 0.5F));
  const auto honest = sum_of(vectors);
  std::vector<float> mean(2 * values);
  ASSERT_TRUE(dequantise(honest, clients, setup, mean));
  for (std::size_t i = 0; i < honest.size(); ++i) {
    auto sum = honest;
    sum[i] = setup.quantisation.levels * clients + 1;
    EXPECT_FALSE(dequantise(sum, clients, setup, mean)) << i;
  }
}

// The scalars of the last segment are the last digits: its level, and whether it has one.
TEST(AdversaryScalars, ALevelWithoutACountIsNoSum) {
  const SumSetup setup = setup_of(0.5);
  std::vector<std::vector<std::uint32_t>> vectors;
  for (std::uint8_t i = 0; i < clients; ++i) vectors.push_back(vector_of(setup, i, 0.5F));
  auto sum = sum_of(vectors);
  ASSERT_EQ(sum.back(), clients);
  std::vector<float> mean(2 * values);
  sum.back() = clients + 1;
  EXPECT_FALSE(dequantise(sum, clients, setup, mean));
  sum.back() = 0;
  EXPECT_FALSE(dequantise(sum, clients, setup, mean));
}

TEST(AdversaryScalars, OneClientCannotPullTheScalesFar) {
  const double scale = 0.5;
  const SumSetup setup = setup_of(scale);
  for (const float size : {0.0F, 1e-30F, 1e30F}) {
    std::vector<std::vector<std::uint32_t>> vectors;
    for (std::uint8_t i = 0; i + 1U < clients; ++i) vectors.push_back(vector_of(setup, i, 0.5F));
    vectors.push_back(vector_of(setup, clients, size));
    std::vector<float> mean(2 * values);
    const auto totals = dequantise(sum_of(vectors), clients, setup, mean);
    ASSERT_TRUE(totals) << totals.error().text();
    for (const double next : totals->scales) {
      EXPECT_GT(next, scale / 2) << size;
      EXPECT_LT(next, scale * 2) << size;
    }
  }
}

TEST(AdversaryScalars, AnUpdateOfZerosSaysNothingAboutTheScales) {
  const SumSetup setup = setup_of(1);  // no scales yet: the first round
  std::vector<std::vector<std::uint32_t>> vectors;
  for (std::uint8_t i = 0; i + 1U < clients; ++i) vectors.push_back(vector_of(setup, i, 0.02F));
  std::vector<float> mean(2 * values);
  SumSetup four = setup;
  const auto without = dequantise(sum_of(vectors), clients - 1, four, mean);
  vectors.push_back(vector_of(setup, clients, 0));
  const auto with = dequantise(sum_of(vectors), clients, setup, mean);
  ASSERT_TRUE(without && with);
  EXPECT_EQ(without->scales, with->scales);
}

// A liar's digits, within their range, in every round: the range of the values stays usable.
TEST(AdversaryScalars, TheScalesOfTheNextRoundStayNearTheLastOnes) {
  const double scale = 0.5;
  const SumSetup setup = setup_of(scale);
  std::vector<std::vector<std::uint32_t>> vectors;
  for (std::uint8_t i = 0; i + 1U < clients; ++i) vectors.push_back(vector_of(setup, i, 0.5F));
  auto liar = vector_of(setup, clients, 0.5F);
  // The last digits are those of the two segments' levels.
  for (std::size_t i = liar.size() - 8; i < liar.size(); ++i) liar[i] = setup.quantisation.levels;
  vectors.push_back(liar);
  std::vector<float> mean(2 * values);
  const auto totals = dequantise(sum_of(vectors), clients, setup, mean);
  if (!totals) return;  // refused is as good
  const NextRange next = choose_range(*totals, clients, setup.quantisation.levels, setup);
  for (const double s : next.scales) {
    EXPECT_GE(s, scale * std::exp2(-level_change_max) * 0.999);
    EXPECT_LE(s, scale * std::exp2(level_change_max) * 1.001);
  }
  EXPECT_GE(next.clip, clip_min);
  EXPECT_LE(next.clip, first_clip);
}

// One client claims the highest level in every round, and is removed after twelve. The error of the mean stays near the
// size of the values while it lies, from the third round on, and is as without it afterwards.
TEST(AdversaryScalars, ALieAboutTheLevelInEveryRoundCostsALimitedError) {
  constexpr std::size_t model = 4'000;
  constexpr double size = 1e-3;
  constexpr int lies = 12, rounds = 18;
  for (const std::uint32_t count : {4U, 6U, 10U, 16U}) {
    SumSetup setup = testing::small_setup(count);
    setup.metrics.clear();
    setup.segments = {{model, 1}};
    setup.quantisation = first_quantisation(count, 100);
    for (int round = 1; round <= rounds; ++round) {
      setup.round = RoundId(static_cast<std::uint32_t>(round));
      std::vector<std::uint32_t> sum(vector_elements(setup));
      std::vector<double> exact(model);
      for (std::uint32_t client = 0; client < count; ++client) {
        Random random(static_cast<std::uint64_t>(round) * 1'000 + client);
        std::vector<float> update(model);
        for (float& value : update) value = static_cast<float>(size * random.normal());
        for (std::size_t i = 0; i < model; ++i) exact[i] += static_cast<double>(update[i]) / count;
        Secret32 seed;
        seed.bytes()[0] = static_cast<std::uint8_t>(client);
        seed.bytes()[1] = static_cast<std::uint8_t>(round);
        std::vector<std::uint32_t> vector(vector_elements(setup));
        ASSERT_TRUE(quantise(update, 100, {}, setup, seed, vector));
        if (client == 0 && round <= lies) {
          // The digits of the level are before the last one. Of a number of 17 bits:
          const std::uint64_t base = std::uint64_t{setup.quantisation.levels} + 1;
          std::size_t digits = 1;
          for (std::uint64_t rest = 131'071; rest >= base; rest /= base) ++digits;
          std::uint64_t lie = 131'071;
          for (std::size_t i = 0; i < digits; ++i, lie /= base)
            vector[vector.size() - 1 - digits + i] = static_cast<std::uint32_t>(lie % base);
        }
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += vector[i];
      }
      std::vector<float> mean(model);
      const auto totals = dequantise(sum, count, setup, mean);
      ASSERT_TRUE(totals) << totals.error().text();
      double error = 0, signal = 0;
      for (std::size_t i = 0; i < model; ++i) {
        error += (mean[i] - exact[i]) * (mean[i] - exact[i]);
        signal += exact[i] * exact[i];
      }
      const double relative = std::sqrt(error / signal);
      // With scales that nobody lies about it is at most 1 in the second round and 0.4 later.
      const double most = round == 2 ? 30 : round > lies + 2 ? 0.5 : 2;
      EXPECT_LT(relative, most) << count << " clients, round " << round;
      const Grid grid = choose_grid(count, 3);
      const NextRange next = choose_range(*totals, count, grid.levels, setup);
      setup.segments[0].scale = next.scales[0];
      setup.quantisation = {grid.levels, grid.ring_bits, next.clip, 100, true};
    }
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
