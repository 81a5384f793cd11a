#include <algorithm>
#include <cstring>
#include <limits>

#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

constexpr Seeds seeds{1, 2, 3};

TEST(Hostile, ATruncatedUpdateIsRefused) {
  for (const std::string& text : every_spec) {
    for (const Entropy entropy : {Entropy::never, Entropy::if_smaller}) {
      const Plan plan = plan_of(text, 5'000);
      const auto encoded = encode(plan, update_of(plan.values(), 1), seeds, {}, entropy);
      std::vector<std::byte> memory;
      for (std::size_t size = 0; size < encoded.bytes.size(); size += 1 + size / 20)
        ASSERT_FALSE(Update::read(plan, seeds, magnitude_max, std::span(encoded.bytes).first(size), memory))
            << text << ", " << size;
      auto longer = encoded.bytes;
      longer.push_back(std::byte{0});
      ASSERT_FALSE(Update::read(plan, seeds, magnitude_max, longer, memory)) << text;
    }
  }
}

// Any bytes give an error, or values within the limit, which are the same each time.
TEST(Hostile, ChangedBytesGiveAnErrorOrValuesWithinTheLimit) {
  Random random(5);
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 6'000);
    const auto valid = encode(plan, update_of(plan.values(), 1), seeds).bytes;
    std::vector<std::byte> memory;
    int accepted = 0;
    for (int i = 0; i < 300; ++i) {
      auto bytes = valid;
      const auto changes = 1 + random.below(8);
      for (std::uint64_t c = 0; c < changes; ++c) {
        const auto at = random.chance(0.3) ? random.below(std::min<std::size_t>(40, bytes.size()))
                                           : random.below(bytes.size());
        bytes[at] = random.chance(0.3) ? std::byte{0xFF} : static_cast<std::byte>(random.next());
      }
      const auto update = Update::read(plan, seeds, magnitude_max, bytes, memory);
      if (!update) continue;
      ++accepted;
      std::vector<float> values(plan.values(), 0.0F);
      update->accumulate(0, plan.values(), 1.0F, values);
      for (const float value : values) ASSERT_LE(std::fabs(value), magnitude_max * 1.01F) << text;
      std::vector<std::int64_t> sums(plan.values(), 0);
      update->fold(0, plan.values(), std::ldexp(1.0, 40), sums);
      for (const auto sum : sums)
        ASSERT_LE(std::fabs(static_cast<double>(sum)), std::ldexp(magnitude_max * 1.01, 40)) << text;
    }
    EXPECT_GT(accepted, 0) << text;  // otherwise the test saw only errors
  }
}

TEST(Hostile, RandomBytesOfEveryLengthAreRefused) {
  Random random(6);
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 3'000);
    std::vector<std::byte> memory;
    for (int i = 0; i < 200; ++i) {
      std::vector<std::byte> bytes(random.below(2 * plan.encoded_bytes_max()));
      for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());
      if (!bytes.empty()) bytes[0] = static_cast<std::byte>(random.below(3));
      const auto update = Update::read(plan, seeds, magnitude_max, bytes, memory);
      // Random bytes may be a valid update by chance. Then its values are within the limit.
      if (!update) continue;
      std::vector<float> values(plan.values(), 0.0F);
      update->accumulate(0, plan.values(), 1.0F, values);
      for (const float value : values) ASSERT_LE(std::fabs(value), magnitude_max * 1.01F) << text;
    }
  }
}

TEST(Hostile, ScalesThatAreNotFiniteOrTooLargeAreRefused) {
  for (const char* text : {"q1", "q4", "q8", "q4-rotated", "randk(0.5, q8)", "sign", "f32"}) {
    const Plan plan = plan_of(text, 5'000);
    const auto valid = encode(plan, update_of(plan.values(), 1), seeds).bytes;
    std::vector<std::byte> memory;
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN(), 65.0F, -1e30F}) {
      auto bytes = valid;
      std::memcpy(bytes.data() + 1, &bad, sizeof bad);
      const auto update = Update::read(plan, seeds, magnitude_max, bytes, memory);
      ASSERT_FALSE(update) << text << ", " << bad;
      EXPECT_EQ(update.error().code, ErrorCode::protocol);
    }
  }
}

TEST(Hostile, AFrameThatUnpacksToMoreThanAnUpdateIsRefusedBeforeItIsUnpacked) {
  // A plan of few values, and an update that was encoded from many zeros, which compress well.
  const Plan small = plan_of("q8", 100), large = plan_of("q8", 10'000'000);
  const std::vector<float> zeros(large.values(), 0.0F);
  const auto bomb = encode(large, zeros, seeds, {}, Entropy::if_smaller).bytes;
  ASSERT_LT(bomb.size(), 100'000U);
  std::vector<std::byte> memory;
  EXPECT_FALSE(Update::read(small, seeds, magnitude_max, bomb, memory));
  EXPECT_LE(memory.capacity(), small.encoded_bytes_max());
}

TEST(Hostile, TopKIndicesBeyondTheEndAreRefused) {
  // Bytes that are valid for a longer vector with the same number of selected values.
  const Plan longer = plan_of("topk(0.01, q4)", 10'000), shorter = plan_of("topk(0.02, q4)", 5'000);
  std::vector<float> values(10'000, 0.0F);
  for (std::size_t i = 9'900; i < 10'000; ++i) values[i] = 1.0F;
  const auto bytes = encode(longer, values, seeds).bytes;
  std::vector<std::byte> memory;
  EXPECT_TRUE(Update::read(longer, seeds, magnitude_max, bytes, memory));
  EXPECT_FALSE(Update::read(shorter, seeds, magnitude_max, bytes, memory));
}

}  // namespace
}  // namespace hansa::codecs
