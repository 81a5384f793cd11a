// The reservoir's choices follow from the seeds of the tasks alone.
#include <gtest/gtest.h>

#include "client/state/state_ledger.h"
#include "common/random.h"
#include "tests/client_state/arrivals.h"
#include "tests/client_state/count.h"
#include "tests/data/data_files.h"

namespace hansa::client {
namespace {

using learning::testing::TemporaryFolder;
using testing::arrival_of;

// The labels in the reservoir after 20 rounds of 10 new examples, with room for 16.
std::vector<std::int64_t> fill(std::unique_ptr<StateStore> opened, std::uint64_t seed) {
  const std::shared_ptr<StateStore> store = std::move(opened);
  StateLedger ledger(store, {16});
  for (std::uint64_t round = 0; round < 20; ++round) {
    EXPECT_TRUE(store->add(arrival_of(static_cast<std::int64_t>(10 * round), 10)));
    const auto mark = store->snapshot(TaskId(round + 1))->mark;
    EXPECT_TRUE(
        testing::count(ledger, {TaskId(round + 1), derive_seed(seed, "train", round, "client"), mark, {}}));
  }
  EXPECT_EQ(store->counts()->replay, 16U);
  EXPECT_EQ(store->counts()->trained, 200U);
  return store->snapshot(TaskId(100))->examples.values<std::int64_t>(1);
}

TEST(Reservoir, TheSameSeedsKeepTheSameExamplesInMemoryAndOnDisk) {
  const auto in_memory = fill(StateStore::in_memory().value(), 1);
  EXPECT_GT(in_memory.back() + in_memory.front(), 16) << "the reservoir never changed";
  EXPECT_EQ(fill(StateStore::in_memory().value(), 1), in_memory);
  for (int run = 0; run < 2; ++run) {
    const TemporaryFolder folder;
    EXPECT_EQ(fill(StateStore::open(folder / "state").value(), 1), in_memory);
  }
}

TEST(Reservoir, OtherSeedsKeepOtherExamples) {
  EXPECT_NE(fill(StateStore::in_memory().value(), 1), fill(StateStore::in_memory().value(), 2));
}

// As after a restart of a client whose counted update the aggregator lost.
TEST(Reservoir, ARepeatedTaskFindsTheSameExamplesAndKeepsTheSame) {
  const std::shared_ptr<StateStore> store = StateStore::in_memory().value();
  StateLedger ledger(store, {4});
  for (std::uint64_t task = 1; task <= 5; ++task) {
    ASSERT_TRUE(store->add(arrival_of(static_cast<std::int64_t>(10 * task), 5)));
    const auto first = store->snapshot(TaskId(task)).value();
    ASSERT_TRUE(testing::count(ledger, {TaskId(task), task, first.mark, {}}));
    const auto kept = store->snapshot(TaskId(100)).value();
    ASSERT_TRUE(store->add(
        arrival_of(static_cast<std::int64_t>(10 * task + 5), 2)));  // arrives before the repetition
    const auto again = store->snapshot(TaskId(task)).value();
    EXPECT_EQ(again.examples.values<std::int64_t>(1), first.examples.values<std::int64_t>(1));
    EXPECT_EQ(again.mark, first.mark);
    EXPECT_EQ(again.fresh, first.fresh);
    ASSERT_TRUE(testing::count(ledger, {TaskId(task), task, again.mark, {}}));
    auto expected = kept.examples.values<std::int64_t>(1);
    const auto arrived = static_cast<std::int64_t>(10 * task + 5);
    expected.insert(expected.begin(), {arrived, arrived + 1});
    EXPECT_EQ(store->snapshot(TaskId(100))->examples.values<std::int64_t>(1), expected);
    EXPECT_EQ(store->counts()->trained, 7 * task - 2);
    EXPECT_EQ(store->counts()->fresh, 2U);
    EXPECT_EQ(store->counts()->replay, 4U);
  }
}

TEST(Reservoir, WithoutFollowedDataAnUpdateMovesNoExample) {
  const std::shared_ptr<StateStore> store = StateStore::in_memory().value();
  ASSERT_TRUE(store->add(arrival_of(0, 3)));
  ASSERT_TRUE(testing::count(*store, {TaskId(1), 1, 0, {}}, {}));
  EXPECT_EQ(store->counts()->fresh, 3U);
}

}  // namespace
}  // namespace hansa::client
