// The aggregator keeps its clients' faults in the register, and learns of releases.
#include "server/process/internal/fault_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sqlite/connection.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server::internal {
namespace {

using namespace server::testing;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FaultKeeperTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<DeviceHistory> open() const {
    return std::make_shared<DeviceHistory>(DeviceHistory::open(file).value());
  }
  [[nodiscard]] FaultKeeper keeper(std::shared_ptr<DeviceHistory> history) {
    return FaultKeeper(std::move(history), executor,
                       [this](const std::string& text) { errors.push_back(text); });
  }
  void exchange(FaultKeeper& keeper, const std::vector<FaultRecord>& current, int second) {
    keeper.exchange(current, Instant(seconds(second)), {today.value + static_cast<std::uint64_t>(second)},
                    [this](std::vector<std::string> clients) { released = std::move(clients); });
  }
  [[nodiscard]] DeviceStanding standing(const std::string& name) const {
    return open()->standings().value().at(name);
  }

  TemporaryFolder folder;
  std::filesystem::path file = folder / "devices.sqlite";
  InlineExecutor executor;
  std::vector<std::string> errors, released;
};

TEST_F(FaultKeeperTest, TheNextProcessReadsWhatThisOneWrote) {
  auto first = keeper(open());
  EXPECT_THAT(first.read(today), IsEmpty());
  exchange(first, {{"a", 2, 1, seconds(100)}}, 1);
  auto next = keeper(open());
  const auto records = next.read({today.value + 41});
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].client, "a");
  EXPECT_EQ(records[0].faults, 2U);
  EXPECT_EQ(records[0].counted_in_a_row, 1U);
  EXPECT_LE(records[0].rest_left, seconds(61));
  EXPECT_GE(records[0].rest_left, seconds(60));
  const auto after = keeper(open()).read({today.value + 500});
  EXPECT_EQ(after.at(0).rest_left, Duration::zero()) << "the rest ended while no aggregator ran";
}

TEST_F(FaultKeeperTest, AClockThatWasSetBackDoesNotLeaveADeviceOutForYears) {
  auto first = keeper(open());
  exchange(first, {{"a", 2, 1, seconds(100)}}, 1);
  const auto records = keeper(open()).read({0});
  EXPECT_LE(records.at(0).rest_left, std::chrono::hours(30 * 24));
}

TEST_F(FaultKeeperTest, AReleaseReachesTheEngineOnce) {
  auto faults = keeper(open());
  exchange(faults, {{"a", 2, 1, seconds(100)}, {"b", 1, 0, seconds(100)}}, 1);
  ASSERT_TRUE(open()->release("a", by_operator).value());
  exchange(faults, {{"a", 2, 1, seconds(99)}, {"b", 1, 0, seconds(99)}}, 2);
  EXPECT_THAT(released, ElementsAre("a"));
  released.clear();
  exchange(faults, {{"b", 1, 0, seconds(98)}}, 3);
  EXPECT_THAT(released, IsEmpty());
  EXPECT_EQ(open()->standings().value().size(), 1U);
}

TEST_F(FaultKeeperTest, AReleaseWhileNoAggregatorRunsHolds) {
  {
    auto faults = keeper(open());
    exchange(faults, {{"a", 2, 1, seconds(100)}}, 1);
  }
  ASSERT_TRUE(open()->release("a", by_operator).value());
  EXPECT_THAT(keeper(open()).read(today), IsEmpty());
}

TEST_F(FaultKeeperTest, WritesAtTheEndWhatIsNew) {
  auto faults = keeper(open());
  exchange(faults, {{"a", 2, 1, seconds(100)}}, 1);
  faults.finish({{"a", 3, 0, seconds(400)}}, today);
  EXPECT_EQ(standing("a").faults, 3U);
}

TEST_F(FaultKeeperTest, AFileThatCannotBeWrittenIsReportedOnce) {
  auto history = open();
  auto faults = keeper(history);
  {
    const auto connection = sqlite::open_to_write(file);
    connection->exec("DROP TABLE standings");
  }
  for (int i = 1; i < 5; ++i) exchange(faults, {{"a", 2, 1, seconds(100)}}, i);
  EXPECT_EQ(errors.size(), 1U);
}

TEST_F(FaultKeeperTest, WithoutARegisterNothingIsKept) {
  auto faults = keeper(nullptr);
  EXPECT_THAT(faults.read(today), IsEmpty());
  exchange(faults, {{"a", 2, 1, seconds(100)}}, 1);
  faults.finish({{"a", 2, 1, seconds(100)}}, today);
  EXPECT_THAT(errors, IsEmpty());
}

}  // namespace
}  // namespace hansa::server::internal
