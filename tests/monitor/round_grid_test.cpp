#include "server/monitor/round_grid.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hansa::server {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint32_t> shown(std::uint32_t last, std::uint32_t points,
                                 const std::vector<RoundId>& preferred = {}) {
  std::vector<std::uint32_t> out;
  for (const RoundId round : thinned_rounds(RoundId(last), points, preferred)) out.push_back(round.value);
  return out;
}

TEST(RoundGrid, AShortRunIsShownInFull) {
  EXPECT_THAT(shown(0, 2), ElementsAre());
  EXPECT_THAT(shown(1, 2), ElementsAre(1));
  EXPECT_THAT(shown(3, 3), ElementsAre(1, 2, 3));
}

TEST(RoundGrid, TheFirstAndTheLastRoundAreAlwaysThereAndNeverMoreThanWanted) {
  for (std::uint32_t last = 1; last < 300; ++last)
    for (std::uint32_t points = 2; points < 40; ++points) {
      const auto rounds = shown(last, points);
      ASSERT_LE(rounds.size(), points) << last;
      ASSERT_EQ(rounds.front(), 1U);
      ASSERT_EQ(rounds.back(), last);
      ASSERT_TRUE(std::ranges::is_sorted(rounds, std::less_equal<>())) << last << " in " << points;
      // Not far fewer than possible: the intervals' lengths are powers of two.
      ASSERT_GE(rounds.size(), std::min<std::size_t>(last, points / 2)) << last << " in " << points;
    }
  EXPECT_EQ(shown(0xffffffff, 2'000).back(), 0xffffffff);
}

// So that a chart of a long run costs one new round for each commit.
TEST(RoundGrid, ARunThatGrowsNeedsFewNewRounds) {
  std::set<std::uint32_t> read;
  std::size_t most = 0;
  for (std::uint32_t last = 10'000; last < 40'000; ++last) {
    std::size_t fresh = 0;
    for (const std::uint32_t round : shown(last, 500)) fresh += read.insert(round).second ? 1 : 0;
    if (last > 10'000) most = std::max(most, fresh);
  }
  EXPECT_EQ(most, 1U);
}

TEST(RoundGrid, TheLastPreferredRoundOfAnIntervalIsShown) {
  EXPECT_THAT(shown(16, 6), ElementsAre(1, 4, 8, 12, 16));
  EXPECT_THAT(shown(16, 6, {RoundId(0), RoundId(5), RoundId(6), RoundId(16)}), ElementsAre(1, 4, 6, 12, 16));
  EXPECT_THAT(shown(16, 6, {RoundId(1), RoundId(15), RoundId(20)}), ElementsAre(1, 8, 12, 15, 16));
}

}  // namespace
}  // namespace hansa::server
