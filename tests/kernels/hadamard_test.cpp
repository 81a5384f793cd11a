#include "common/kernels/hadamard.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/kernels/every_target.h"

namespace hansa::kernels {
namespace {

TEST(Hadamard, EveryTargetEqualsTheScalarReference) {
  with_every_target([] {
    for (std::size_t size = hadamard_values_min; size <= 8192; size *= 2) {
      auto values = random_values(size, size), expected = values;
      hadamard(values);
      hadamard_reference(expected);
      ASSERT_EQ(values, expected) << size;
    }
    for (const std::size_t size : {0UL, 1UL, 16UL, 63UL, 64UL, 65UL, 200UL, 4096UL}) {
      for (const float limit : {no_limit, 0.7F}) {
        const auto values = random_values(size, 7);
        std::vector<float> out(size), expected(size);
        flip_signs(values, size + 5, limit, out);
        flip_signs_reference(values, size + 5, limit, expected);
        ASSERT_EQ(out, expected) << size;
        for (const float value : out) ASSERT_LE(std::fabs(value), limit);
        flip_signs(out, size + 5, limit, out);
        if (limit == no_limit) {
          ASSERT_EQ(out, values);
        }
      }
    }
  });
}

TEST(Hadamard, AppliedTwiceItMultipliesByTheSizeAndOnceTheLengthByItsRoot) {
  const auto before = random_values(1024, 1);
  auto values = before;
  hadamard(values);
  const auto square = [](const std::vector<float>& v) {
    return std::inner_product(v.begin(), v.end(), v.begin(), 0.0);
  };
  EXPECT_NEAR(square(values) / square(before), 1024, 0.01);
  hadamard(values);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i] / 1024, before[i], 1e-5);
}

TEST(Hadamard, ASpikeIsSpreadEvenly) {
  std::vector<float> values(256, 0.0F);
  values[77] = 3.0F;
  flip_signs(values, 9, no_limit, values);
  hadamard(values);
  for (const float value : values) EXPECT_EQ(std::fabs(value), 3.0F);
}

TEST(Hadamard, AboutHalfOfTheSignsFlipAndTheSeedDecidesWhich) {
  std::vector<float> a(4096, 1.0F), b = a;
  flip_signs(a, 1, no_limit, a);
  flip_signs(b, 2, no_limit, b);
  EXPECT_NEAR(static_cast<double>(std::count(a.begin(), a.end(), -1.0F)), 2048, 150);
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(same), 2048, 150);
}

}  // namespace
}  // namespace hansa::kernels
