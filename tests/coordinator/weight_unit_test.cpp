// The unit of the weights in a secure sum, against reports of clients that lie.
#include "server/coordinator/internal/weight_unit.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace hansa::server {
namespace {

constexpr std::uint64_t most = 1 << 20;
using Reports = std::vector<std::uint64_t>;

TEST(WeightUnit, IsTheLargestReportOfClientsOfSimilarSize) {
  EXPECT_EQ(weight_unit(Reports{512, 1'024, 512}, most), 1'024U);
  EXPECT_EQ(weight_unit(Reports{1}, most), 1U);
  EXPECT_EQ(weight_unit(Reports{256, 1'024, 64, 256}, most), 1'024U) << "four times the median";
}

TEST(AdversaryWeightUnit, AnInflatedNumberOfExamplesGivesASmallWeightNoLargeInfluence) {
  for (const std::uint64_t lie :
       {std::uint64_t{1} << 20, std::uint64_t{1} << 63, std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_LE(weight_unit(Reports{512, 512, lie}, most), 2'048U) << lie;
    EXPECT_LE(weight_unit(Reports{512, 512, 512, lie, lie}, most), 2'048U) << lie;
    EXPECT_LE(weight_unit(Reports{512, 512, lie, lie}, most), 2'048U) << "half of them";
  }
}

TEST(AdversaryWeightUnit, ATinyNumberOfExamplesDoesNotMakeTheOthersClip) {
  EXPECT_EQ(weight_unit(Reports{512, 1'024, 512, 1, 1}, most), 1'024U);
}

TEST(AdversaryWeightUnit, TheUnitIsWithinTheOperatorsBound) {
  EXPECT_EQ(weight_unit(Reports{512, 1'024, 512}, 600), 600U);
  EXPECT_EQ(weight_unit(Reports{std::numeric_limits<std::uint64_t>::max()}, 536'870'912), 536'870'912U);
  EXPECT_EQ(weight_unit(Reports{0, 0, 0}, most), 1U);
}

}  // namespace
}  // namespace hansa::server
