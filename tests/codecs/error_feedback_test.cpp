#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

// The decoded updates and the last residual sum up to the updates that were encoded: nothing is lost.
TEST(ErrorFeedback, DecodedUpdatesAndTheLastResidualSumUpToWhatWasEncoded) {
  for (const char* text : {"topk(0.01, q4)", "topk(0.05, q1)", "sign", "lowrank(2)"}) {
    SCOPED_TRACE(text);
    const Plan plan = plan_of(text, 10'000);
    ASSERT_GE(plan.state_values(), plan.values());
    std::vector<double> in(plan.values()), out(plan.values());
    std::vector<float> state;
    for (std::uint64_t round = 1; round <= 60; ++round) {
      const auto values = update_of(plan.values(), round);
      const Seeds seeds{round, round, round};
      auto encoded = encode(plan, values, seeds, state);
      const auto decoded = decode(plan, encoded.bytes, seeds);
      state = std::move(encoded.state);
      for (std::size_t i = 0; i < in.size(); ++i) {
        in[i] += values[i];
        out[i] += decoded[i];
      }
    }
    for (std::size_t i = 0; i < in.size(); ++i)
      ASSERT_NEAR(out[i] + state[i], in[i], 1e-5 * (1 + std::fabs(in[i]))) << i;
  }
}

// If the same update is encoded repeatedly, the mean of the decoded values converges to it, and the residual is
// bounded.
TEST(ErrorFeedback, TheMeanOfARepeatedUpdateConvergesToTheUpdate) {
  for (const char* text : {"topk(0.05, q4)", "sign", "lowrank(4)"}) {
    SCOPED_TRACE(text);
    const Plan plan = plan_of(text, 2'000);
    const auto values = update_of(plan.values(), 9);
    std::vector<double> sums(plan.values());
    std::vector<float> state;
    constexpr int rounds = 4'000;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const Seeds seeds{round, round, round};
      auto encoded = encode(plan, values, seeds, state);
      const auto decoded = decode(plan, encoded.bytes, seeds);
      state = std::move(encoded.state);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += decoded[i];
    }
    double error = 0;
    for (std::size_t i = 0; i < sums.size(); ++i)
      error += (sums[i] / rounds - values[i]) * (sums[i] / rounds - values[i]);
    EXPECT_LT(error, 0.05 * squared(values));
  }
}

TEST(ErrorFeedback, UnbiasedCodecsKeepNoResidual) {
  for (const char* text : {"f32", "f16", "q4", "q2-rotated", "randk(0.1, q8)"})
    EXPECT_EQ(plan_of(text, 100).state_values(), 0U) << text;
}

TEST(ErrorFeedback, LowRankFindsAMatrixOfThatRank) {
  constexpr std::size_t rows = 40, columns = 60;
  auto plan = Plan::create({Segment{rows * columns, spec_of("lowrank(2)"), rows}});
  ASSERT_TRUE(plan.has_value());
  Random random(2);
  std::vector<float> a(2 * rows), b(2 * columns), values(rows * columns);
  for (float& value : a) value = static_cast<float>(random.normal());
  for (float& value : b) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j)
      values[i * columns + j] = a[i] * b[j] + a[rows + i] * b[columns + j];
  auto decoded = decode(*plan, encode(*plan, values, {1, 2, 3}).bytes, {1, 2, 3});
  for (std::size_t i = 0; i < values.size(); ++i) decoded[i] -= values[i];
  EXPECT_LT(squared(decoded), 1e-5 * squared(values));
}

}  // namespace
}  // namespace hansa::codecs
