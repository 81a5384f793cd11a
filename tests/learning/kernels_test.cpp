// The hot loops against scalar reference implementations.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "common/random.h"
#include "learning/internal/adam.h"
#include "learning/internal/pool_kernels.h"
#include "learning/internal/sgd.h"

namespace hansa::learning {
namespace {

std::vector<float> noise(std::size_t count, Random& random) {
  std::vector<float> out(count);
  // Rounded, so that equal values and zeros occur.
  for (float& value : out) value = static_cast<float>(std::round(random.normal() * 4) / 4);
  return out;
}

class Pool : public ::testing::TestWithParam<PoolShape> {
 protected:
  static std::size_t at(const PoolShape& s, std::size_t image, std::size_t row, std::size_t column,
                        std::size_t c) {
    return ((image * s.rows + row) * s.columns + column) * s.channels + c;
  }
};

TEST_P(Pool, ForwardAndBackwardEqualTheScalarReference) {
  const PoolShape shape = GetParam();
  Random random(shape.input_elements());
  const std::vector<float> input = noise(shape.input_elements(), random);
  const std::vector<float> gradient = noise(shape.output_elements(), random);
  std::vector<float> output(shape.output_elements(), -1.0F);
  std::vector<std::uint8_t> winners(output.size(), 99);
  relu_max_pool_forward(shape, input, output, winners);
  std::vector<float> back(input.size(), 77.0F);
  relu_max_pool_backward(shape, gradient, winners, back);

  std::vector<float> expected_back(input.size(), 0.0F);
  std::size_t o = 0;
  for (std::size_t image = 0; image < shape.images; ++image)
    for (std::size_t row = 0; row < shape.rows / 2; ++row)
      for (std::size_t column = 0; column < shape.columns / 2; ++column)
        for (std::size_t c = 0; c < shape.channels; ++c, ++o) {
          float best = 0;
          std::size_t place = input.size();
          for (std::size_t r = 0; r < 2; ++r)
            for (std::size_t k = 0; k < 2; ++k) {
              const std::size_t i = at(shape, image, 2 * row + r, 2 * column + k, c);
              if (input[i] > best) best = input[i], place = i;
            }
          ASSERT_EQ(output[o], best) << o;
          if (place < input.size()) expected_back[place] += gradient[o];
        }
  EXPECT_EQ(back, expected_back);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Pool,
                         ::testing::Values(PoolShape{1, 2, 2, 1}, PoolShape{2, 4, 6, 3},
                                           PoolShape{3, 24, 24, 16}, PoolShape{2, 8, 8, 32},
                                           PoolShape{1, 5, 7, 17}, PoolShape{2, 3, 2, 33},
                                           // the last group of channels overlaps the one before it
                                           PoolShape{2, 6, 4, 4}, PoolShape{2, 24, 24, 6},
                                           PoolShape{1, 4, 5, 7}, PoolShape{2, 4, 4, 9}));

TEST(PoolKernel, NanWinsAsInLibTorch) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t place = 0; place < 4; ++place) {
    std::vector<float> input{1, 2, 3, 4};
    input[place] = nan;
    std::vector<float> output(1);
    std::vector<std::uint8_t> winners(1);
    relu_max_pool_forward({1, 2, 2, 1}, input, output, winners);
    EXPECT_TRUE(std::isnan(output[0])) << place;
    EXPECT_EQ(winners[0], place);
  }
}

TEST(Sgd, StepEqualsTheFormula) {
  for (const std::size_t size : {1U, 7U, 8U, 33U}) {
    Random random(size);
    const std::vector<float> gradient = noise(size, random);
    std::vector<float> weights = noise(size, random);
    std::vector<float> velocity = noise(size, random);
    std::vector<float> expected_weights = weights;
    std::vector<float> expected_velocity = velocity;
    for (std::size_t i = 0; i < size; ++i) {
      expected_velocity[i] = 0.5F * velocity[i] + (gradient[i] + 0.25F * weights[i]);
      expected_weights[i] = weights[i] - 0.125F * expected_velocity[i];
    }
    sgd_step(weights, gradient, velocity, {0.125F, 0.5F, 0.25F});
    // All constants are powers of two and all values multiples of 1/4, so nothing is rounded.
    EXPECT_EQ(weights, expected_weights);
    EXPECT_EQ(velocity, expected_velocity);
  }
}

TEST(Sgd, WithoutMomentumNoVelocityIsNeeded) {
  std::vector<float> weights{1, 2};
  const std::vector<float> gradient{4, -8};
  sgd_step(weights, gradient, {}, {0.5F, 0, 0});
  EXPECT_THAT(weights, ::testing::ElementsAre(-1, 6));
  sgd_step(weights, gradient, {}, {0.5F, 0, 1});
  EXPECT_THAT(weights, ::testing::ElementsAre(-2.5F, 7));
}

TEST(Sgd, NesterovsStepEqualsTheFormula) {
  std::vector<float> weights{1, 2}, velocity{4, -4};
  const std::vector<float> gradient{4, -8};
  sgd_step(weights, gradient, velocity, {0.5F, 0.5F, 0, true});
  EXPECT_THAT(velocity, ::testing::ElementsAre(6, -10));
  EXPECT_THAT(weights, ::testing::ElementsAre(1 - 0.5F * (4 + 3), 2 - 0.5F * (-8 - 5)));
}

TEST(Adam, StepsEqualTheFormulaInDoublePrecision) {
  for (const bool decoupled : {false, true}) {
    const AdamConstants constants{0.01, 0.9, 0.99, 1e-6, 0.1, decoupled};
    Random random(3);
    constexpr std::size_t size = 37;
    std::vector<float> weights = noise(size, random), first(size), second(size);
    std::vector<double> expected(weights.begin(), weights.end()), m(size), v(size);
    for (std::uint64_t step = 1; step <= 5; ++step) {
      const std::vector<float> gradient = noise(size, random);
      adam_step(weights, gradient, first, second, step, constants);
      for (std::size_t i = 0; i < size; ++i) {
        const double g = gradient[i] + (decoupled ? 0 : 0.1 * expected[i]);
        if (decoupled) expected[i] -= 0.01 * 0.1 * expected[i];
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.99 * v[i] + 0.01 * g * g;
        expected[i] -=
            0.01 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.99, step))) + 1e-6);
        ASSERT_NEAR(weights[i], expected[i], 2e-6) << step << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace hansa::learning
