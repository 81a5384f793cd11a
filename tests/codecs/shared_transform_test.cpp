#include "protocols/codecs/shared_transform.h"

#include <numeric>

#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

std::vector<float> forward(const SharedTransform& transform, std::span<const float> values) {
  std::vector<float> out(transform.numbers(values.size()));
  for (const auto& block : transform.blocks(values.size()))
    transform.forward(3, block, values.subspan(block.first_value, block.values),
                      std::span(out).subspan(block.first_number, block.numbers));
  return out;
}
std::vector<float> inverse(const SharedTransform& transform, std::span<const float> numbers,
                           std::size_t values) {
  std::vector<float> out(values);
  for (const auto& block : transform.blocks(values))
    transform.inverse(3, block, numbers.subspan(block.first_number, block.numbers),
                      std::span(out).subspan(block.first_value, block.values));
  return out;
}

TEST(SharedTransform, BlocksCoverASegmentOfAnyLength) {
  for (const double share : {1.0, 0.3, 0.001}) {
    for (const std::uint64_t values : {1U, 5U, 16U, 31U, 100U, 4095U, 4096U, 4097U, 18'378U}) {
      const SharedTransform transform(true, share, 9);
      std::uint64_t covered = 0, numbers = 0;
      for (const auto& block : transform.blocks(values)) {
        EXPECT_EQ(block.first_value, covered);
        EXPECT_EQ(block.first_number, numbers);
        EXPECT_GE(block.numbers, 1U);
        covered += block.values;
        numbers += block.numbers;
      }
      EXPECT_EQ(covered, values);
      EXPECT_EQ(numbers, transform.numbers(values));
      if (share == 1) {
        EXPECT_EQ(numbers, values);
      }
    }
  }
}

TEST(SharedTransform, ARotationKeepsLengthsAndCanBeInverted) {
  const SharedTransform transform(true, 1, 4);
  const auto values = update_of(9'999, 1);
  const auto numbers = forward(transform, values);
  EXPECT_NEAR(squared(numbers) / squared(values), 1, 1e-5);
  const auto back = inverse(transform, numbers, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(back[i], values[i], 1e-6) << i;
  // Large values are spread: before, a few had nearly all of the length.
  const auto largest = [](std::span<const float> v) {
    float out = 0;
    for (const float value : v) out = std::max(out, std::fabs(value));
    return out / std::sqrt(squared(v) / static_cast<double>(v.size()));
  };
  EXPECT_GT(largest(values), 12);
  EXPECT_LT(largest(numbers), 6);
}

TEST(SharedTransform, ItIsLinear) {
  const SharedTransform transform(true, 0.4, 4);
  const auto a = update_of(5'000, 1), b = update_of(5'000, 2);
  std::vector<float> sum(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) sum[i] = 2 * a[i] - b[i];
  const auto of_a = forward(transform, a), of_b = forward(transform, b), of_sum = forward(transform, sum);
  for (std::size_t i = 0; i < of_sum.size(); ++i) ASSERT_NEAR(of_sum[i], 2 * of_a[i] - of_b[i], 1e-5);
}

TEST(SharedTransform, TheSelectedAndTheOmittedPartSumUpToTheVector) {
  for (const bool rotated : {false, true}) {
    const SharedTransform transform(rotated, 0.25, 6);
    const auto values = update_of(6'000, 3);
    const auto kept = inverse(transform, forward(transform, values), values.size());
    std::vector<float> left(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) left[i] = values[i] - kept[i];
    // The two parts are orthogonal: nothing that is sent later was already sent now.
    EXPECT_NEAR(std::inner_product(kept.begin(), kept.end(), left.begin(), 0.0) / squared(values), 0, 1e-6);
    EXPECT_NEAR(squared(kept) / squared(values), 0.25, rotated ? 0.03 : 0.25);
    EXPECT_NEAR(squared(forward(transform, left)), 0, 1e-6 * squared(values));
  }
}

TEST(SharedTransform, OverManySeedsEveryPositionIsSelectedEquallyOften) {
  std::vector<int> selected(100);
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    const SharedTransform transform(false, 0.2, derive_seed(seed, "places"));
    const std::vector<float> ones(100, 1.0F);
    const auto kept = inverse(transform, forward(transform, ones), ones.size());
    for (std::size_t i = 0; i < kept.size(); ++i) selected[i] += kept[i] != 0 ? 1 : 0;
  }
  for (const int count : selected) EXPECT_NEAR(count / 4'000.0, 0.2, 0.075);
}

}  // namespace
}  // namespace hansa::codecs
