#include "server/aggregation/arriving_update.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr AccumulationBounds bounds{.weight_max = 1000, .updates_max = 1000, .magnitude_max = 4.0F};

std::vector<float> random_values(std::size_t count, Random& random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform() - 0.5);
  return values;
}

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
  return std::as_bytes(std::span(values));
}

class ArrivingUpdateTest : public ::testing::Test {
 protected:
  static constexpr std::size_t elements = 5'000;
  // Sums that are computed from complete updates only.
  std::vector<std::int64_t> sums_of(
      const std::vector<std::pair<std::vector<float>, std::uint64_t>>& updates) {
    Accumulator whole(elements, workers_);
    EXPECT_TRUE(whole.begin(bounds));
    for (const auto& [values, weight] : updates) EXPECT_TRUE(whole.add(values, 0, weight));
    return {whole.sums().begin(), whole.sums().end()};
  }
  std::vector<std::int64_t> sums() const { return {sum_.sums().begin(), sum_.sums().end()}; }
  void SetUp() override { ASSERT_TRUE(sum_.begin(bounds)); }

  Random random_{7};
  TemporaryFolder folder_;
  WorkerPool workers_{2};
  SpoolPool in_memory_{folder_.path() / "memory", 1 << 30};
  SpoolPool in_files_{folder_.path() / "files", 0};
  Accumulator sum_{elements, workers_};
  std::vector<float> values_ = random_values(elements, random_);
};

TEST_F(ArrivingUpdateTest, IsInTheSumOnceItIsCountedForAnyChunks) {
  for (SpoolPool* pool : {&in_memory_, &in_files_})
    for (const std::size_t part : {1UL, 7UL, 4'096UL, 13'001UL, 4 * elements})
      for (const std::size_t shift : {0UL, 1UL}) {
        ASSERT_TRUE(sum_.begin(bounds));
        ArrivingUpdate update(Spool::create(*pool, 4 * elements).value(), sum_, 3);
        // Messages start at any offset in memory.
        std::vector<std::byte> message(part + shift);
        for (auto rest = bytes_of(values_); !rest.empty();) {
          const auto now = rest.first(std::min(part, rest.size()));
          std::ranges::copy(now, message.begin() + static_cast<std::ptrdiff_t>(shift));
          ASSERT_TRUE(update.append(std::span(message).subspan(shift, now.size())));
          rest = rest.subspan(now.size());
        }
        ASSERT_TRUE(update.count());
        EXPECT_EQ(sums(), sums_of({{values_, 3}})) << "in parts of " << part << " from " << shift;
        EXPECT_EQ(sum_.updates(), 1U);
        EXPECT_EQ(sum_.total_weight(), 3U);
        update.take_out();  // has no effect any more
        EXPECT_EQ(sums(), sums_of({{values_, 3}}));
      }
}

TEST_F(ArrivingUpdateTest, LeavesNothingIfItIsDroppedBeforeItIsCounted) {
  const auto other = random_values(elements, random_);
  ASSERT_TRUE(sum_.add(other, 0, 2));
  {
    ArrivingUpdate update(Spool::create(in_memory_, 4 * elements).value(), sum_, 5);
    ASSERT_TRUE(update.append(bytes_of(values_).first(10'001)));
    EXPECT_NE(sums(), sums_of({{other, 2}})) << "it is added as it comes";
  }
  EXPECT_EQ(sums(), sums_of({{other, 2}}));
}

TEST_F(ArrivingUpdateTest, CanContinueAfterItWasTakenOut) {
  ArrivingUpdate update(Spool::create(in_memory_, 4 * elements).value(), sum_, 5);
  ASSERT_TRUE(update.append(bytes_of(values_).first(8'000)));
  update.take_out();
  EXPECT_EQ(sums(), sums_of({}));
  ASSERT_TRUE(update.append(bytes_of(values_).subspan(8'000)));
  ASSERT_TRUE(update.count());
  EXPECT_EQ(sums(), sums_of({{values_, 5}}));
}

TEST_F(ArrivingUpdateTest, WithAnInvalidValueIsRefusedAndLeavesNothing) {
  for (const float bad : {5.0F, std::nanf(""), -HUGE_VALF})
    for (const std::size_t place : {0UL, 2'600UL, elements - 1})
      for (SpoolPool* pool : {&in_memory_, &in_files_}) {
        ASSERT_TRUE(sum_.begin(bounds));
        auto values = values_;
        values[place] = bad;
        ArrivingUpdate update(Spool::create(*pool, 4 * elements).value(), sum_, 5);
        for (std::size_t at = 0; at < 4 * elements; at += 4'000)
          ASSERT_TRUE(update.append(bytes_of(values).subspan(at, 4'000)));
        const auto counted = update.count();
        ASSERT_FALSE(counted);
        EXPECT_EQ(counted.error().code, ErrorCode::protocol);
        EXPECT_NE(counted.error().what.find("at parameter " + std::to_string(place) + ","), std::string::npos)
            << counted.error().what;
        EXPECT_EQ(sums(), sums_of({}));
        EXPECT_EQ(sum_.updates(), 0U);
      }
}

TEST_F(ArrivingUpdateTest, WithAWeightOutOfRangeOrAnInvalidSizeIsRefused) {
  for (SpoolPool* pool : {&in_memory_, &in_files_}) {
    for (const std::uint64_t weight : {std::uint64_t{0}, bounds.weight_max + 1}) {
      ArrivingUpdate update(Spool::create(*pool, 4 * elements).value(), sum_, weight);
      ASSERT_TRUE(update.append(bytes_of(values_)));
      EXPECT_FALSE(update.count());
      EXPECT_EQ(sums(), sums_of({}));
    }
    ArrivingUpdate update(Spool::create(*pool, 19'999).value(), sum_, 5);
    ASSERT_TRUE(update.append(bytes_of(values_).first(19'999)));
    EXPECT_FALSE(update.count());
    EXPECT_EQ(sums(), sums_of({}));
  }
}

// Many concurrent updates with every possible end: the sum is that of the counted ones.
TEST_F(ArrivingUpdateTest, ManyConcurrentUpdatesGiveTheSumOfTheCountedOnes) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ASSERT_TRUE(sum_.begin(bounds));
    struct Upload {
      std::vector<float> values;
      std::uint64_t weight;
      ArrivingUpdate update;
      Upload(Random& from, SpoolPool& pool, Accumulator& sum)
          : values(random_values(elements, from)),
            weight(1 + from.below(bounds.weight_max)),
            update(Spool::create(pool, 4 * elements).value(), sum, weight) {}
    };
    SpoolPool pool(folder_.path() / "few", 3 * 4 * elements);  // the others are stored in files
    std::list<Upload> uploads;
    std::vector<std::pair<std::vector<float>, std::uint64_t>> counted;
    for (int step = 0; step < 300; ++step) {
      if (uploads.size() < 5) uploads.emplace_back(random, pool, sum_);
      auto it = std::next(uploads.begin(), static_cast<std::ptrdiff_t>(random.below(uploads.size())));
      const auto rest = bytes_of(it->values).subspan(it->update.spool().received());
      const std::size_t part = std::min<std::size_t>(rest.size(), 1 + random.below(9'000));
      if (random.chance(0.03)) it->values[elements - 1] = std::nanf("");
      if (random.chance(0.02)) it->update.take_out();
      ASSERT_TRUE(it->update.append(rest.first(part)));
      if (it->update.spool().complete()) {
        if (it->update.count()) counted.emplace_back(it->values, it->weight);
        else EXPECT_TRUE(std::isnan(it->values[elements - 1]));
        uploads.erase(it);
      } else if (random.chance(0.03)) {
        uploads.erase(it);
      }
    }
    for (Upload& upload : uploads) upload.update.take_out();
    EXPECT_GT(counted.size(), 10U);
    EXPECT_EQ(sums(), sums_of(counted));
    EXPECT_EQ(sum_.updates(), counted.size());
  }
}

}  // namespace
}  // namespace hansa::server
