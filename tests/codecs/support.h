// Plans, vectors and round trips for the tests of codecs.
#pragma once
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/update.h"

namespace hansa::codecs {

inline const std::vector<std::string> every_spec{"f32",
                                                 "f16",
                                                 "bf16",
                                                 "q1",
                                                 "q2",
                                                 "q3",
                                                 "q4",
                                                 "q5",
                                                 "q8",
                                                 "q1-rotated",
                                                 "q2-rotated",
                                                 "q3-rotated",
                                                 "q4-rotated",
                                                 "q8-rotated",
                                                 "topk(0.01, q4)",
                                                 "topk(0.2, q1)",
                                                 "topk(1, q8)",
                                                 "randk(0.1, q8)",
                                                 "randk(1, q4)",
                                                 "sign",
                                                 "lowrank(2)"};

inline Spec spec_of(const std::string& text) {
  auto out = parse_spec(text, "test");
  EXPECT_TRUE(out.has_value()) << out.error().text();
  return out.value_or(Spec{});
}

// One segment. For lowrank it is a matrix, so there may be more values than requested.
inline Plan plan_of(const std::string& text, std::uint64_t values) {
  Segment segment{values, spec_of(text), 0};
  if (segment.spec.kind == Kind::lowrank) {
    segment.rows = 1 + values / 50;
    segment.values = segment.rows * (values / segment.rows + 1);
  }
  auto plan = Plan::create({segment});
  EXPECT_TRUE(plan.has_value()) << plan.error().text();
  return std::move(*plan);
}

// Values like those of updates: most small, some large, some zero.
inline std::vector<float> update_of(std::size_t values, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> out(values);
  for (float& value : out) {
    const double size = random.chance(0.02) ? 0.5 : 0.01;
    value = random.chance(0.1) ? 0.0F : static_cast<float>(size * random.normal());
  }
  return out;
}

inline constexpr float magnitude_max = 64.0F;

struct Encoded {
  std::vector<std::byte> bytes;
  std::vector<float> state;
};
inline Encoded encode(const Plan& plan, std::span<const float> values, const Seeds& seeds,
                      std::span<const float> state = {}, Entropy entropy = Entropy::never) {
  Encoded out;
  out.state.resize(plan.state_values());
  EXPECT_TRUE(Encoder(plan).encode(values, state, out.state, seeds, magnitude_max, entropy, out.bytes));
  return out;
}

inline std::vector<float> decode(const Plan& plan, std::span<const std::byte> bytes, const Seeds& seeds) {
  std::vector<std::byte> memory;
  std::vector<float> out(plan.values(), 0.0F);
  const auto update = Update::read(plan, seeds, magnitude_max, bytes, memory);
  EXPECT_TRUE(update.has_value()) << update.error().text();
  if (update) update->accumulate(0, plan.values(), 1.0F, out);
  return out;
}

inline double squared(std::span<const float> values) {
  double out = 0;
  for (const float value : values) out += static_cast<double>(value) * value;
  return out;
}

}  // namespace hansa::codecs
