// Values at the edges of float32 in an update that is encoded. The asan preset runs these with
// -fsanitize=float-cast-overflow.
#include <cmath>
#include <limits>

#include "common/kernels/levels.h"
#include "common/kernels/targets.h"
#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

constexpr Seeds seeds{1, 2, 3};
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

bool encodes(const Plan& plan, const std::vector<float>& values, float limit, std::vector<std::byte>& out) {
  std::vector<float> state(plan.state_values());
  return Encoder(plan).encode(values, {}, state, seeds, limit, Entropy::never, out);
}

TEST(AdversaryNumbers, NoCodecEncodesAValueThatIsNotFinite) {
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 5'000);
    const auto values = update_of(plan.values(), 1);
    std::vector<std::byte> out;
    ASSERT_TRUE(encodes(plan, values, magnitude_max, out)) << text;
    for (const float value : {nan, -nan, infinity, -infinity})
      for (const std::size_t at : {std::size_t{0}, values.size() / 2, values.size() - 1}) {
        auto changed = values;
        changed[at] = value;
        EXPECT_FALSE(encodes(plan, changed, magnitude_max, out)) << text << ", " << value << " at " << at;
      }
  }
}

TEST(AdversaryNumbers, EveryCodecEncodesTheSmallestAndTheLargestValuesToFiniteOnes) {
  constexpr float denormal = std::numeric_limits<float>::denorm_min();
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 5'000);
    for (const float value :
         {0.0F, -0.0F, denormal, -denormal, 1e-38F, 1e-30F, magnitude_max, -magnitude_max}) {
      const std::vector<float> values(plan.values(), value);
      std::vector<std::byte> out, memory;
      ASSERT_TRUE(encodes(plan, values, magnitude_max, out)) << text << ", " << value;
      const auto update = Update::read(plan, seeds, magnitude_max, out, memory);
      ASSERT_TRUE(update) << text << ", " << value << ": " << update.error().text();
      std::vector<float> decoded(plan.values(), 0.0F);
      update->accumulate(0, plan.values(), 1.0F, decoded);
      for (const float found : decoded) ASSERT_LE(std::fabs(found), magnitude_max * 1.01F) << text;
    }
  }
}

// A code is defined for every float32, also for those that no encoder passes on, on every instruction set.
TEST(AdversaryNumbers, EveryFloatHasACode) {
  std::vector<float> values{nan, -nan, infinity, -infinity, 3e38F, -3e38F, 1e-45F, -1e-45F, 0.0F, -0.0F};
  while (values.size() < 100) values.push_back(values[values.size() % 10]);
  for (const auto target : kernels::targets()) {
    SCOPED_TRACE(kernels::target_name(target));
    kernels::use_target(target);
    for (unsigned bits = 1; bits <= 8; ++bits)
      for (const float inverse : {0.0F, 1.0F, 1e30F, infinity, nan}) {
        std::vector<std::uint8_t> codes(values.size());
        (void)kernels::quantise_nearest(values, inverse, bits, codes);
        for (const unsigned code : codes) ASSERT_LT(code, 1U << bits);
        kernels::quantise_random(values, inverse, bits, 7, codes);
        for (const unsigned code : codes) ASSERT_LT(code, 1U << bits);
        (void)kernels::quantise_nearest_reference(values, inverse, bits, codes);
        for (const unsigned code : codes) ASSERT_LT(code, 1U << bits);
        kernels::quantise_random_reference(values, inverse, bits, 7, codes);
        for (const unsigned code : codes) ASSERT_LT(code, 1U << bits);
      }
  }
  kernels::use_target(0);
}

}  // namespace
}  // namespace hansa::codecs
