// How an epoch is divided into batches.
#include <gmock/gmock.h>

#include "learning/internal/batch_ends.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;

TEST(Batches, TheLastBatchHasTheRemainder) {
  EXPECT_THAT(batch_ends({10, 4, 1}), ElementsAre(4, 8, 10));
  EXPECT_THAT(batch_ends({8, 4, 1}), ElementsAre(4, 8));
  EXPECT_THAT(batch_ends({9, 4, 1}), ElementsAre(4, 8, 9));
  EXPECT_THAT(batch_ends({3, 4, 1}), ElementsAre(3));
  EXPECT_THAT(batch_ends({1, 1, 1}), ElementsAre(1));
}

TEST(Batches, ATooSmallRemainderJoinsThePreviousBatch) {
  EXPECT_THAT(batch_ends({9, 4, 2}), ElementsAre(4, 9));
  EXPECT_THAT(batch_ends({10, 4, 2}), ElementsAre(4, 8, 10));
  EXPECT_THAT(batch_ends({1, 4, 2}), ElementsAre(1));
  EXPECT_THAT(batch_ends({4, 1, 2}), ElementsAre(2, 4)) << "batch_size below the minimum is raised to it";
}

}  // namespace
}  // namespace hansa::learning
