#include <gtest/gtest.h>

#include "protocols/transport/internal/peer_table.h"

namespace hansa::transport {
namespace {

using namespace std::string_view_literals;

TEST(PeerTable, SameConnectionOfSameClientIsSamePeer) {
  PeerTable table;
  const PeerId peer = table.learn("\0abcd"sv, "ada", 5);
  EXPECT_EQ(table.learn("\0abcd"sv, "ada", 5), peer);
  EXPECT_EQ(table.routing_id(peer), "\0abcd"sv);
  EXPECT_NE(table.learn("\0abce"sv, "ada", 5), peer);
}

TEST(PeerTable, ARoutingIdOfAnotherClientIsANewPeerAndTheOldOneIsGone) {
  PeerTable table;
  const PeerId old = table.learn("\0abcd"sv, "ada", 5);
  const PeerId taker = table.learn("\0abcd"sv, "bob", 5);
  EXPECT_NE(taker, old);
  EXPECT_FALSE(table.routing_id(old));
  EXPECT_EQ(table.routing_id(taker), "\0abcd"sv);
}

TEST(PeerTable, AForgottenPeerIsNeverReturnedAgain) {
  PeerTable table;
  const PeerId peer = table.learn("\0abcd"sv, "ada", 5);
  table.forget(peer);
  table.forget(peer);
  EXPECT_FALSE(table.routing_id(peer));
  EXPECT_NE(table.learn("\0abcd"sv, "ada", 5), peer);
}

TEST(PeerTable, AClientThatReconnectsEndlesslyHasABoundedNumberOfPeersAndEvictsNoOthers) {
  PeerTable table;
  const PeerId other = table.learn("\0zzzz"sv, "bob", 5);
  PeerId newest;
  for (int i = 0; i < 1000; ++i) newest = table.learn("\0" + std::to_string(1000 + i), "ada", 5);
  EXPECT_EQ(table.size(), PeerTable::peers_per_client_max + 1);
  EXPECT_TRUE(table.routing_id(newest));
  EXPECT_TRUE(table.routing_id(other));
}

TEST(PeerTable, OnlyRoutingIdsThatTheRouterMadeCount) {
  EXPECT_TRUE(PeerTable::made_by_router("\0abcd"sv));
  EXPECT_FALSE(PeerTable::made_by_router("abcde"sv));
  EXPECT_FALSE(PeerTable::made_by_router("\0abc"sv));
  EXPECT_FALSE(PeerTable::made_by_router(""sv));
}

}  // namespace
}  // namespace hansa::transport
