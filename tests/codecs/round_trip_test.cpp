#include <algorithm>
#include <limits>

#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

constexpr std::size_t lengths[] = {1, 5, 16, 100, 511, 4096, 4097, 20'000};

// The maximum error of a decoded value, as documented in spec.h.
double bound_of(const Spec& spec, double value, double largest) {
  switch (spec.kind) {
    case Kind::f32: return 0;
    case Kind::f16: return std::max(std::fabs(value) * std::ldexp(1, -11), std::ldexp(1, -25));
    case Kind::bf16: return std::fabs(value) * std::ldexp(1, -8);
    case Kind::quantised: return 2 * largest / ((1 << spec.bits) - 1) * 1.0001;
    default: return std::numeric_limits<double>::infinity();
  }
}

TEST(RoundTrip, ErrorsAndSizesAreWithinTheDocumentedBounds) {
  for (const std::string& text : every_spec) {
    for (const std::size_t length : lengths) {
      SCOPED_TRACE(text + ", " + std::to_string(length));
      const Plan plan = plan_of(text, length);
      const Spec spec = plan.segments()[0].spec;
      const auto values = update_of(plan.values(), length);
      const Seeds seeds{11, 12, 13};
      const auto encoded = encode(plan, values, seeds);
      EXPECT_LE(encoded.bytes.size(), plan.encoded_bytes_max());
      const auto decoded = decode(plan, encoded.bytes, seeds);
      const double largest =
          std::fabs(*std::ranges::max_element(values, {}, [](float v) { return std::fabs(v); }));
      for (std::size_t i = 0; i < values.size(); ++i)
        ASSERT_LE(std::fabs(decoded[i] - values[i]), bound_of(spec, values[i], largest)) << i;
    }
  }
}

TEST(RoundTrip, TheErrorAfterARotationIsThatOfANormalVectorForAnyValues) {
  const std::pair<const char*, double> stated[] = {
      {"q1-rotated", 0.571}, {"q2-rotated", 0.135}, {"q3-rotated", 0.039}, {"q4-rotated", 0.0117}};
  std::vector<float> spike(4096, 0.0F);
  spike[100] = 7;
  spike[3000] = -1;
  for (const auto& [text, error] : stated) {
    for (const auto& values : {update_of(4096, 3), spike}) {
      const Plan plan = plan_of(text, values.size());
      double sum = 0;
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Seeds seeds{seed, 0, 0};
        auto decoded = decode(plan, encode(plan, values, seeds).bytes, seeds);
        for (std::size_t i = 0; i < values.size(); ++i) decoded[i] -= values[i];
        sum += squared(decoded) / squared(values);
      }
      // The transform of a spike has two magnitudes instead of a normal distribution, so its error may be smaller, but
      // not larger.
      EXPECT_LE(sum / 20, error * 1.06) << text;
    }
  }
}

TEST(RoundTrip, FoldingAddsTheDecodedValuesTimesTheFactorForAnySlices) {
  for (const std::string& text : every_spec) {
    SCOPED_TRACE(text);
    const Plan plan = plan_of(text, 20'000);
    const auto values = update_of(plan.values(), 5);
    const Seeds seeds{1, 2, 3};
    const auto encoded = encode(plan, values, seeds);
    const auto decoded = decode(plan, encoded.bytes, seeds);
    std::vector<std::byte> memory;
    const auto update = Update::read(plan, seeds, magnitude_max, encoded.bytes, memory);
    ASSERT_TRUE(update.has_value());
    const double factor = std::ldexp(600.0, 30);
    std::vector<std::int64_t> whole(plan.values(), 5), sliced = whole;
    update->fold(0, plan.values(), factor, whole);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const double exact = static_cast<double>(decoded[i]) * factor;
      // The decoded value is rounded to float32; the sum is not.
      ASSERT_NEAR(static_cast<double>(whole[i] - 5), exact, 1 + std::fabs(exact) * 1e-7) << i;
    }
    Random random(7);
    for (std::uint64_t first = 0; first < plan.values();) {
      const std::uint64_t last = std::min(plan.values(), first + 1 + random.below(6'000));
      update->fold(first, last, factor, sliced);
      first = last;
    }
    EXPECT_EQ(sliced, whole);
    std::vector<float> in_slices(plan.values(), 0.0F);
    for (std::uint64_t first = 0; first < plan.values(); first += 3'000)
      update->accumulate(first, std::min(plan.values(), first + 3'000), 1.0F, in_slices);
    EXPECT_EQ(in_slices, decoded);
  }
}

TEST(RoundTrip, SquaresAreThoseOfTheDecodedValuesForAnySlices) {
  for (const std::string& text : every_spec) {
    // With and without padding in the last block.
    for (const std::uint64_t count : {std::uint64_t{5} * Plan::block_values, std::uint64_t{20'000}}) {
      SCOPED_TRACE(text + " " + std::to_string(count));
      const Plan plan = plan_of(text, count);
      const Seeds seeds{1, 2, 3};
      const auto encoded = encode(plan, update_of(plan.values(), 5), seeds);
      const double exact = squared(decode(plan, encoded.bytes, seeds));
      std::vector<std::byte> memory;
      const auto update = Update::read(plan, seeds, magnitude_max, encoded.bytes, memory);
      ASSERT_TRUE(update.has_value());
      double squares = 0;
      for (std::uint64_t first = 0; first < plan.values(); first += 3'000)
        squares += update->squares(first, std::min(plan.values(), first + 3'000));
      const bool is_padded = text.ends_with("-rotated") && plan.values() % Plan::block_values != 0;
      EXPECT_GE(squares, exact * (1 - 1e-5));
      EXPECT_LE(squares, exact * (is_padded ? 1.05 : 1 + 1e-5));
    }
  }
}

TEST(RoundTrip, SegmentsOfSeveralCodecsAreEncodedOneAfterTheOther) {
  std::vector<Segment> segments;
  for (const std::string& text : every_spec) {
    Segment segment{700, spec_of(text), 0};
    if (segment.spec.kind == Kind::lowrank) segment.rows = 20;
    segments.push_back(segment);
  }
  auto plan = Plan::create(segments);
  ASSERT_TRUE(plan.has_value());
  const auto values = update_of(plan->values(), 8);
  const Seeds seeds{4, 5, 6};
  const auto plain = encode(*plan, values, seeds);
  EXPECT_LE(plain.bytes.size(), plan->encoded_bytes_max());
  const auto decoded = decode(*plan, plain.bytes, seeds);
  for (std::size_t i = 0; i < 700; ++i) EXPECT_EQ(decoded[i], values[i]);  // f32 is the first segment
  const auto packed = encode(*plan, values, seeds, {}, Entropy::if_smaller);
  EXPECT_EQ(decode(*plan, packed.bytes, seeds), decoded);
  // Another update, with the state of the first.
  const auto second = encode(*plan, values, seeds, plain.state);
  EXPECT_NE(decode(*plan, second.bytes, seeds), decoded);
}

TEST(RoundTrip, TheEntropyStageIsUsedWhereItHelps) {
  const Seeds seeds{1, 2, 3};
  const auto values = update_of(100'000, 2);
  const auto size = [&](const char* text, Entropy entropy) {
    const Plan plan = plan_of(text, values.size());
    return static_cast<double>(encode(plan, values, seeds, {}, entropy).bytes.size());
  };
  // A few large values make most codes small.
  EXPECT_LT(size("q8", Entropy::if_smaller), 0.8 * size("q8", Entropy::never));
  // Bits of a rotated vector are random.
  EXPECT_EQ(size("q1-rotated", Entropy::if_smaller), size("q1-rotated", Entropy::never));
}

TEST(RoundTrip, AnEmptyVectorIsEncodedAsNoBytes) {
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 5'000);
    const std::vector<float> zeros(plan.values(), 0.0F);
    EXPECT_EQ(squared(decode(plan, encode(plan, zeros, {1, 2, 3}).bytes, {1, 2, 3})), 0) << text;
    // The values are so small that scales would not be finite.
    const std::vector<float> tiny(plan.values(), 1e-38F);
    EXPECT_LT(squared(decode(plan, encode(plan, tiny, {1, 2, 3}).bytes, {1, 2, 3})), 1e-50) << text;
  }
}

TEST(RoundTrip, ValuesAtTheLimitAreAccepted) {
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 5'000);
    std::vector<float> values(plan.values());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 3 == 0 ? -magnitude_max : magnitude_max;
    for (const float value : decode(plan, encode(plan, values, {1, 2, 3}).bytes, {1, 2, 3}))
      ASSERT_LE(std::fabs(value), magnitude_max * 1.004F) << text;
  }
}

TEST(RoundTrip, ValuesThatNoReceiverAcceptsAreNotEncoded) {
  std::vector<std::byte> out;
  for (const std::string& text : every_spec) {
    const Plan plan = plan_of(text, 9'000);
    std::vector<float> state(plan.state_values());
    for (const std::size_t at : {std::size_t{0}, plan.values() / 2, plan.values() - 1})
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
            -std::numeric_limits<float>::infinity(), std::nextafter(-magnitude_max, -100.0F)}) {
        auto values = update_of(plan.values(), 3);
        values[at] = bad;
        EXPECT_FALSE(Encoder(plan).encode(values, {}, state, {1, 2, 3}, magnitude_max, Entropy::never, out))
            << text << ", " << bad << " at " << at;
      }
  }
}

TEST(RoundTrip, AResidualMayRaiseValuesAboveTheLimit) {
  for (const char* text : {"topk(0.01, q4)", "sign", "lowrank(2)"}) {
    const Plan plan = plan_of(text, 5'000);
    const std::vector<float> values(plan.values(), 0.9F * magnitude_max);
    std::vector<float> kept(plan.state_values());
    std::fill_n(kept.begin(), plan.values(), 0.9F * magnitude_max);
    const auto encoded = encode(plan, values, {1, 2, 3}, kept);
    for (const float value : decode(plan, encoded.bytes, {1, 2, 3}))
      ASSERT_LE(std::fabs(value), magnitude_max * 1.004F) << text;
  }
}

TEST(RoundTrip, AccumulatingAllValuesGivesTheirChecksum) {
  std::vector<Plan> plans;
  for (const char* text : {"q4-rotated", "q8", "topk(0.01, q4)", "lowrank(2)"})
    plans.push_back(plan_of(text, 100'003));
  plans.push_back(std::move(*Plan::create(
      {{50'001, spec_of("q4-rotated"), 0}, {3, spec_of("f16"), 0}, {70'000, spec_of("q2-rotated"), 0}})));
  for (const Plan& plan : plans) {
    SCOPED_TRACE(plan.text());
    const auto encoded = encode(plan, update_of(plan.values(), 5), {1, 2, 3});
    std::vector<std::byte> memory;
    const auto update = *Update::read(plan, {1, 2, 3}, magnitude_max, encoded.bytes, memory);
    auto values = update_of(plan.values(), 6), expected = values;
    const Checksum sum = update.accumulate(values);
    update.accumulate(0, plan.values(), 1.0F, expected);
    EXPECT_EQ(values, expected);
    EXPECT_EQ(sum, checksum(std::span<const float>(expected)));
  }
}

}  // namespace
}  // namespace hansa::codecs
