#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/transport/internal/connection_table.h"

namespace hansa::transport {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t mib = 1 << 20;

struct AdversaryConnections : ::testing::Test {
  ConnectionLimits limits{.connections_max = 8, .handshakes_max = 4, .per_client_max = 2};
  Instant now{std::chrono::hours(1)};
  std::uint64_t cookie = 0;
  std::uint32_t routing = 100;

  std::optional<ConnectionName> accept(ConnectionTable& table, int descriptor, const std::string& address) {
    return table.accepted({descriptor, ++cookie}, address, now);
  }
};

TEST_F(AdversaryConnections, AnAddressThatFloodsCrowdsOutOnlyItself) {
  ConnectionTable table(limits);
  EXPECT_FALSE(accept(table, 1, "honest"));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(accept(table, 10 + i, "flood"));
  for (int i = 0; i < 100; ++i) {
    const auto closed = accept(table, 20 + i, "flood");
    ASSERT_TRUE(closed);
    EXPECT_NE(closed->descriptor, 1);
    table.closed(closed->descriptor);
  }
  EXPECT_EQ(table.open(), 4U);
}

TEST_F(AdversaryConnections, AnIpv6NetworkThatFloodsCrowdsOutOnlyItself) {
  ConnectionTable table(limits);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(accept(table, 10 + i, "2001:db8:1:1::" + std::to_string(i + 1)));
  const auto first = accept(table, 1, "198.51.100.1");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->descriptor, 10);
  table.closed(first->descriptor);
  for (int i = 0; i < 100; ++i) {
    const auto closed = accept(table, 20 + i, "2001:db8:1:1::1:" + std::to_string(i + 1));
    ASSERT_TRUE(closed);
    EXPECT_NE(closed->descriptor, 1);
    table.closed(closed->descriptor);
  }
}

TEST_F(AdversaryConnections, OfSeveralNetworksWithAsManyConnectionsTheOldestOneIsClosed) {
  ConnectionTable table(limits);
  int descriptor = 0;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(accept(table, ++descriptor, "10.0.0." + std::to_string(i)));
  for (int i = 4; i < 200; ++i) {
    const auto closed = accept(table, ++descriptor, "10.0.0." + std::to_string(i));
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->descriptor, descriptor - 4) << "a newcomer has the time that three others take";
    table.closed(closed->descriptor);
  }
}

TEST_F(AdversaryConnections, ConnectionsThatHaveSentAMessageAreNotClosedForNewOnes) {
  ConnectionTable table(limits);
  for (int i = 0; i < 8; ++i) {
    ASSERT_FALSE(accept(table, i, "lan"));
    ASSERT_FALSE(table.delivered(i, ++routing, "client " + std::to_string(i), 100, now));
  }
  const auto closed = accept(table, 50, "lan");
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->descriptor, 50);
}

TEST_F(AdversaryConnections, ManyConnectionsOfOneKeyKeepTheOnesThatSpeak) {
  ConnectionTable table(limits);
  ASSERT_FALSE(accept(table, 1, "lan"));
  ASSERT_FALSE(table.delivered(1, 100, "ada", 10, now));
  ASSERT_FALSE(accept(table, 2, "lan"));
  ASSERT_FALSE(table.delivered(2, 101, "ada", 10, now));
  now += seconds(1);
  ASSERT_FALSE(table.delivered(1, 100, "ada", 10, now));
  ASSERT_FALSE(accept(table, 3, "lan"));
  const auto closed = table.delivered(3, 102, "ada", 10, now);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->descriptor, 2);
  EXPECT_EQ(table.take("ada").size(), 2U);
}

TEST_F(AdversaryConnections, UnfinishedMessagesOfAllConnectionsOfAClientCountTogether) {
  ConnectionTable table(limits);
  for (const int descriptor : {1, 2}) {
    ASSERT_FALSE(accept(table, descriptor, "lan"));
    ASSERT_FALSE(table.delivered(descriptor, ++routing, "ada", mib, now));
  }
  const auto read = [](std::uint64_t bytes) {
    return [bytes](const ConnectionName&) { return std::optional(bytes); };
  };
  EXPECT_TRUE(table.overdue(now, read(5 * mib)).empty());
  EXPECT_EQ(table.overdue(now, read(7 * mib)).size(), 2U);
  EXPECT_EQ(table.open(), 0U);
}

TEST_F(AdversaryConnections, AConnectionThatSendsNoMessageEnds) {
  ConnectionTable table(limits);
  const auto read = [](const ConnectionName&) { return std::optional<std::uint64_t>(300); };
  ASSERT_FALSE(accept(table, 1, "lan"));
  EXPECT_TRUE(table.overdue(now + seconds(29), read).empty());
  EXPECT_EQ(table.overdue(now + seconds(30), read).size(), 1U);
}

TEST_F(AdversaryConnections, TheBytesBeforeTheFirstMessageAreFew) {
  ConnectionTable table(limits);
  ASSERT_FALSE(accept(table, 1, "lan"));
  EXPECT_EQ(table.overdue(now, [](const ConnectionName&) { return std::optional(mib); }).size(), 1U);
}

TEST_F(AdversaryConnections, AMessageOfAnOlderConnectionWithTheSameDescriptorDoesNotCount) {
  ConnectionTable table(limits);
  ASSERT_FALSE(accept(table, 1, "lan"));
  ASSERT_FALSE(table.delivered(1, 100, "ada", 10, now));
  table.closed(1);
  ASSERT_FALSE(accept(table, 1, "lan"));
  ASSERT_FALSE(table.delivered(1, 101, "bob", 10, now));
  ASSERT_FALSE(table.delivered(1, 100, "ada", 10, now));
  EXPECT_TRUE(table.take("ada").empty());
  EXPECT_EQ(table.take("bob").size(), 1U);
}

TEST_F(AdversaryConnections, AConnectionThatIsGoneIsForgotten) {
  ConnectionTable table(limits);
  ASSERT_FALSE(accept(table, 1, "lan"));
  EXPECT_TRUE(table.overdue(now, [](const ConnectionName&) { return std::nullopt; }).empty());
  EXPECT_EQ(table.open(), 0U);
  EXPECT_EQ(table.without_message(), 0U);
}

}  // namespace
}  // namespace hansa::transport
