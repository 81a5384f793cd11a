// What rounds have shown about devices, in the register.
#include "server/register/device_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sqlite/connection.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class History : public ::testing::Test {
 protected:
  [[nodiscard]] DeviceHistory open() const {
    auto opened = DeviceHistory::open(file);
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  TemporaryFolder folder;
  std::filesystem::path file = folder / "devices.sqlite";
};

DeviceHistory::Seen lost(std::uint32_t round, const std::string& reason) {
  return {{}, {{"run-1", RoundId(round), {today.value + round}, reason}}};
}

TEST_F(History, BytesAreAddedAndSpeedsReplaced) {
  auto history = open();
  ASSERT_TRUE(history.add({{"a", {{100.0, 5'000.0, 10, 20}, {}}}, {"b", {{}, {}}}}));
  ASSERT_TRUE(history.add({{"a", {{120.0, {}, 1, 2}, {}}}}));
  const auto measures = open().measures().value();
  ASSERT_EQ(measures.size(), 2U);
  EXPECT_EQ(measures.at("a").examples_per_s, 120.0);
  EXPECT_EQ(measures.at("a").upload_bytes_per_s, 5'000.0) << "an unknown speed replaces nothing";
  EXPECT_EQ(measures.at("a").bytes_up, 11U);
  EXPECT_EQ(measures.at("a").bytes_down, 22U);
  EXPECT_FALSE(measures.at("b").examples_per_s);
}

TEST_F(History, TheLastLossesOfADeviceAreKept) {
  auto history = open();
  ASSERT_TRUE(history.add({{"b", lost(1, "it left")}}));
  for (std::uint32_t i = 1; i <= losses_kept + 5; ++i)
    ASSERT_TRUE(history.add({{"a", lost(i, "reason " + std::to_string(i))}}));
  const auto losses = history.losses("a").value();
  ASSERT_EQ(losses.size(), losses_kept);
  EXPECT_EQ(losses.front().round, RoundId(losses_kept + 5));
  EXPECT_EQ(losses.front().reason, "reason " + std::to_string(losses_kept + 5));
  EXPECT_EQ(losses.front().run, "run-1");
  EXPECT_EQ(losses.back().round, RoundId(6));
  EXPECT_EQ(history.losses("b").value().size(), 1U);
}

TEST_F(History, StandingsOutliveTheProcess) {
  ASSERT_TRUE(open().replace_standings({{"a", {3, 1, {today.value + 60}}}, {"b", {1, 0, {}}}}));
  ASSERT_TRUE(open().replace_standings({{"a", {4, 0, {today.value + 90}}}}));
  const auto standings = open().standings().value();
  ASSERT_EQ(standings.size(), 1U) << "b has no faults any more";
  EXPECT_EQ(standings.at("a").faults, 4U);
  EXPECT_EQ(standings.at("a").left_out_until.value, today.value + 90);
}

TEST_F(History, AReleaseReachesTheAggregatorOnceAndIsInTheAuditLog) {
  auto aggregator = open(), command = open();
  const std::map<std::string, DeviceStanding> current{{"a", {3, 1, {today.value + 60}}},
                                                      {"b", {1, 0, {today.value + 5}}}};
  EXPECT_THAT(aggregator.replace_standings(current).value(), IsEmpty());
  EXPECT_TRUE(command.release("a", by_operator).value());
  EXPECT_FALSE(command.release("a", by_operator).value()) << "it has no faults any more";
  EXPECT_FALSE(command.release("other", by_operator).value());
  EXPECT_EQ(command.standings().value().count("a"), 0U);
  EXPECT_THAT(aggregator.released().value(), ElementsAre("a"));
  // The aggregator does not know yet when it writes.
  EXPECT_THAT(aggregator.replace_standings(current).value(), ElementsAre("a"));
  EXPECT_THAT(aggregator.replace_standings({{"b", {1, 0, {today.value + 5}}}}).value(), IsEmpty());
  EXPECT_EQ(command.standings().value().size(), 1U);
  const auto entries = DeviceRegister::open(file).value().audit().value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].act, "device.released");
  EXPECT_EQ(entries[0].details, "3 faults are forgotten");
  EXPECT_FALSE(find_break(entries, ""));
}

TEST_F(History, AFileOfAnEarlierProgramGetsTheTables) {
  ASSERT_TRUE(DeviceRegister::open(file));
  {
    const auto connection = sqlite::open_to_write(file);
    for (const char* table : {"measures", "losses", "standings"})
      connection->exec(std::string("DROP TABLE ") + table);
  }
  auto history = open();
  EXPECT_TRUE(history.add({{"a", lost(1, "it left")}}));
  EXPECT_EQ(history.losses("a").value().size(), 1U);
}

}  // namespace
}  // namespace hansa::server
