#include "server/engine/internal/traffic.h"

#include <gtest/gtest.h>

namespace hansa::server::internal {
namespace {

Participation bytes_of(const Traffic& traffic, const std::string& client) {
  Participation out;
  out.client = client;
  traffic.fill_in({&out, 1});
  return out;
}

TEST(Traffic, CountsForEachClientAndInAll) {
  Traffic traffic;
  traffic.received(PeerId(1), "a", 10);
  traffic.received(PeerId(2), "b", 20);
  traffic.sent(PeerId(1), 3);
  traffic.sent(PeerId(9), 4);
  EXPECT_EQ(bytes_of(traffic, "a").bytes_up, 10U);
  EXPECT_EQ(bytes_of(traffic, "a").bytes_down, 3U);
  EXPECT_EQ(bytes_of(traffic, "b").bytes_up, 20U);
  traffic.begin_round();
  EXPECT_EQ(bytes_of(traffic, "b").bytes_up, 0U);
  traffic.sent(PeerId(2), 5);
  EXPECT_EQ(bytes_of(traffic, "b").bytes_down, 5U) << "the peer is still known";
  EXPECT_EQ(traffic.up(), 30U);
  EXPECT_EQ(traffic.down(), 12U);
}

TEST(Traffic, APeerBelongsToTheClientThatWasHeardLast) {
  Traffic traffic;
  traffic.received(PeerId(1), "a", 1);
  traffic.received(PeerId(1), "b", 1);
  traffic.sent(PeerId(1), 7);
  EXPECT_EQ(bytes_of(traffic, "a").bytes_down, 0U);
  EXPECT_EQ(bytes_of(traffic, "b").bytes_down, 7U);
}

// Each connection is a new peer.
TEST(Traffic, ManyConnectionsOfAClientTakeNoMoreMemory) {
  Traffic traffic;
  for (std::uint32_t peer = 1; peer <= 10'000; ++peer)
    traffic.received(PeerId(peer), peer % 2 == 0 ? "a" : "b", 1);
  EXPECT_LE(traffic.peers(), 16U);
  EXPECT_EQ(bytes_of(traffic, "a").bytes_up, 5'000U);
  traffic.sent(PeerId(10'000), 3);
  EXPECT_EQ(bytes_of(traffic, "a").bytes_down, 3U) << "the newest is known";
}

}  // namespace
}  // namespace hansa::server::internal
