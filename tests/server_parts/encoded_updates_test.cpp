#include "server/aggregation/encoded_updates.h"

#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/codecs/encoder.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr AccumulationBounds bounds{.weight_max = 1000, .updates_max = 1000, .magnitude_max = 4.0F};
constexpr std::uint64_t memory_max = 4 << 20;

codecs::Plan plan_of(const std::vector<std::pair<std::uint64_t, const char*>>& segments) {
  std::vector<codecs::Segment> out;
  for (const auto& [values, spec] : segments) out.push_back({values, *codecs::parse_spec(spec, "test"), 0});
  return *codecs::Plan::create(std::move(out));
}

struct Sent {
  codecs::Seeds seeds;
  std::vector<std::byte> bytes;
  std::uint64_t weight = 1;
};

class EncodedUpdatesTest : public ::testing::Test {
 protected:
  std::vector<Sent> make(const codecs::Plan& plan, std::size_t count, codecs::Entropy entropy) {
    std::vector<Sent> out(count);
    std::vector<float> values(plan.values()), state(plan.state_values());
    for (Sent& sent : out) {
      for (float& value : values) value = static_cast<float>(0.1 * random_.normal());
      sent.seeds = {random_.next(), 1, random_.next()};
      sent.weight = 1 + random_.below(bounds.weight_max);
      EXPECT_TRUE(codecs::Encoder(plan).encode(values, {}, state, sent.seeds, bounds.magnitude_max, entropy,
                                               sent.bytes));
    }
    return out;
  }
  // Adds the updates one after the other, each completely.
  static std::vector<std::int64_t> sums_of(const codecs::Plan& plan, std::span<const Sent> updates,
                                           int scale_bits) {
    std::vector<std::int64_t> sums(plan.values());
    std::vector<std::byte> memory;
    for (const Sent& sent : updates)
      codecs::Update::read(plan, sent.seeds, bounds.magnitude_max, sent.bytes, memory)
          ->fold(0, plan.values(), std::ldexp(static_cast<double>(sent.weight), scale_bits), sums);
    return sums;
  }
  static Spool spool_of(SpoolPool& pool, const std::vector<std::byte>& bytes) {
    Spool spool = Spool::create(pool, bytes.size()).value();
    EXPECT_TRUE(spool.append(bytes));
    return spool;
  }
  static Result<std::vector<double>> add(EncodedUpdates& updates, const codecs::Plan& plan, SpoolPool& pool,
                                         const Sent& sent) {
    return updates.add(plan, sent.seeds, bounds.magnitude_max, spool_of(pool, sent.bytes), sent.weight);
  }
  // A sum in progress, and the updates that wait for it.
  struct Summing {
    Summing(const codecs::Plan& plan, WorkerPool& workers) : sum(plan.values(), workers) {
      EXPECT_TRUE(sum.begin(bounds));
    }
    Accumulator sum;
    EncodedUpdates updates{sum};
  };
  static std::vector<std::int64_t> copy_of(const Accumulator& sum) {
    return {sum.sums().begin(), sum.sums().end()};
  }

  Random random_{11};
  TemporaryFolder folder_;
  WorkerPool workers_{2};
  SpoolPool in_memory_{folder_.path() / "memory", memory_max};
  SpoolPool in_files_{folder_.path() / "files", 0};
};

TEST_F(EncodedUpdatesTest, ManyAddedInOnePassEqualTheSumOfSingleOnes) {
  // Larger than what is added in one pass, with slices that start within blocks and segments.
  std::vector<codecs::Plan> plans;
  plans.push_back(plan_of({{300'001, "q1-rotated"}}));
  plans.push_back(plan_of({{150'003, "q4"}, {200, "f16"}, {80'000, "q1-rotated"}}));
  plans.push_back(plan_of({{100'000, "topk(0.01, q4)"}, {60'000, "q2-rotated"}}));
  plans.push_back(plan_of({{140'000, "q8"}}));
  plans.push_back(plan_of({{50, "sign"}}));
  for (const codecs::Plan& plan : plans)
    for (const auto entropy : {codecs::Entropy::never, codecs::Entropy::if_smaller}) {
      SCOPED_TRACE(plan.text());
      Summing summing(plan, workers_);
      auto& [sum, updates] = summing;
      const auto all = make(plan, 21, entropy);
      for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_TRUE(add(updates, plan, i % 5 == 3 ? in_files_ : in_memory_, all[i]));
        ASSERT_LT(updates.waiting(), EncodedUpdates::waiting_max);
      }
      EXPECT_EQ(sum.updates(), all.size());
      updates.finish();
      EXPECT_EQ(updates.waiting(), 0U);
      EXPECT_EQ(copy_of(sum), sums_of(plan, all, sum.scale_bits()));
    }
}

TEST_F(EncodedUpdatesTest, NothingOfAnInvalidUpdateIsInTheSum) {
  const auto plan = plan_of({{5'000, "q2-rotated"}});
  Summing summing(plan, workers_);
  auto& [sum, updates] = summing;
  const auto good = make(plan, 2, codecs::Entropy::never);
  Sent heavy = good[0], cut = good[0], huge = good[0];
  heavy.weight = bounds.weight_max + 1;
  cut.bytes.pop_back();
  const float scale = 1e9F;
  std::memcpy(huge.bytes.data() + 1, &scale, sizeof scale);
  ASSERT_TRUE(add(updates, plan, in_memory_, good[0]));
  for (const Sent* bad : {&heavy, &cut, &huge}) {
    const auto refused = add(updates, plan, in_memory_, *bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::protocol);
  }
  ASSERT_TRUE(add(updates, plan, in_memory_, good[1]));
  updates.finish();
  EXPECT_EQ(sum.updates(), 2U);
  EXPECT_EQ(copy_of(sum), sums_of(plan, good, sum.scale_bits()));
}

TEST_F(EncodedUpdatesTest, UpdatesThatWaitForAnAbandonedSumAreDropped) {
  const auto plan = plan_of({{5'000, "q1-rotated"}});
  Summing summing(plan, workers_);
  auto& [sum, updates] = summing;
  const auto all = make(plan, 4, codecs::Entropy::never);
  for (const Sent& sent : std::span(all).first(3)) ASSERT_TRUE(add(updates, plan, in_memory_, sent));
  EXPECT_EQ(updates.waiting(), 3U);
  updates.forget();
  ASSERT_TRUE(sum.begin(bounds));
  ASSERT_TRUE(add(updates, plan, in_memory_, all[3]));
  updates.finish();
  EXPECT_EQ(copy_of(sum), sums_of(plan, std::span(all).last(1), sum.scale_bits()));
}

TEST_F(EncodedUpdatesTest, WaitingUpdatesUseTwoBytesPerParameterAndFreeThem) {
  for (const char* spec : {"q1-rotated", "q2", "q4", "q8", "f16", "f32"}) {
    const auto plan = plan_of({{100'000, spec}});
    SpoolPool pool(folder_.path() / "pool", memory_max);
    Summing summing(plan, workers_);
    auto& [sum, updates] = summing;
    for (const Sent& sent : make(plan, 9, codecs::Entropy::never)) {
      ASSERT_TRUE(add(updates, plan, pool, sent));
      EXPECT_LE(updates.waiting() * sent.bytes.size(), 2 * plan.values()) << spec;
    }
    updates.finish();
    // All spools are idle.
    EXPECT_TRUE(pool.has_room(memory_max));
    EXPECT_FALSE(pool.has_room(memory_max + 1));
  }
}

}  // namespace
}  // namespace hansa::server
