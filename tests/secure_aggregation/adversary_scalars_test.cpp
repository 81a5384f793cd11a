// Attacks by one client of a sum that sends numbers which are not an update's. Nobody sees its vector, only the sum.
#include <cmath>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/quantise.h"
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

}  // namespace
}  // namespace hansa::secure_aggregation
