#include "common/kernels/vectors.h"

#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/kernels/every_target.h"

namespace hansa::kernels {
namespace {

TEST(VectorKernels, EveryTargetEqualsTheScalarReferences) {
  with_every_target([] {
    for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 9UL, 16UL, 100UL, 4096UL, 5003UL}) {
      Random random(count + 1);
      std::vector<float> a(count), b(count), out(count), expected(count);
      for (std::size_t i = 0; i < count; ++i) {
        a[i] = static_cast<float>(random.normal());
        b[i] = static_cast<float>(random.normal());
      }
      ASSERT_EQ(sum_of_squares(a), sum_of_squares_reference(a)) << count;
      subtract(a, b, out);
      subtract_reference(a, b, expected);
      ASSERT_EQ(out, expected);
      for (const float sign : {1.0F, -1.0F, 0.3F}) {
        add_values(out, b, sign);
        add_values_reference(expected, b, sign);
        ASSERT_EQ(out, expected);
      }
    }
  });
}

}  // namespace
}  // namespace hansa::kernels
