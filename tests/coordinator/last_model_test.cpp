// After the last round: clients fetch the last model, and the aggregator waits for them for a bounded time.
#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

// A federation whose rounds are all done when its clients come.
struct FinishedFederation : Harness {
  FinishedFederation() : Harness(small_config(), RoundId(3)) {
    apply(TickEvent{});
    EXPECT_EQ(coordinator.phase(), Phase::finished);
  }
};

TEST(LastModel, AClientFetchesItAfterFinishedAndLeaves) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  ASSERT_EQ(h.sent<messages::Finished>(a).size(), 1U);
  EXPECT_TRUE(h.coordinator.is_awaiting_clients(h.now));
  EXPECT_EQ(h.say(a, messages::Pull{h.coordinator.model(), 0, 1'000}), Verdict::accepted);
  std::uint64_t bytes = 0;
  for (const SendBlob& blob : h.all<SendBlob>()) {
    EXPECT_EQ(blob.blob, h.coordinator.model());
    bytes += blob.bytes;
  }
  EXPECT_EQ(bytes, 1'000U) << "250 values";
  h.forget();
  EXPECT_EQ(h.say(a, messages::Bye{}), Verdict::accepted);
  EXPECT_TRUE(h.all<Log>().empty()) << "that a client leaves now is no news";
  EXPECT_FALSE(h.coordinator.is_awaiting_clients(h.now));
}

TEST(LastModel, AClientThatNeitherPullsNorLeavesIsNotAwaited) {
  FinishedFederation h;
  (void)h.connect("a");
  EXPECT_TRUE(h.coordinator.is_awaiting_clients(h.now + seconds(29)));
  EXPECT_FALSE(h.coordinator.is_awaiting_clients(h.now + seconds(31)));
}

TEST(LastModel, AnAggregatorThatIsStoppedServesNoModel) {
  Harness h(small_config(), RoundId(1));
  h.apply(StopAsked{});
  ASSERT_EQ(h.coordinator.phase(), Phase::finished);
  const Peer a = h.connect("a");
  EXPECT_FALSE(h.coordinator.is_awaiting_clients(h.now));
  h.say(a, messages::Pull{h.coordinator.model(), 0, 1'000});
  EXPECT_TRUE(h.all<SendBlob>().empty());
}

// Otherwise a device that was killed would wait for ever, and never get the last model.
TEST(LastModel, AClientThatWasKilledIsWelcomedWhenItComesBack) {
  FinishedFederation h;
  (void)h.connect("a");
  Peer again = h.peer("a");
  ASSERT_EQ(h.hello(again), Verdict::accepted);
  EXPECT_TRUE(h.sent<messages::Welcome>(again).empty()) << "the first process is asked whether it lives";
  h.advance(seconds(3));
  EXPECT_EQ(h.sent<messages::Welcome>(again).size(), 1U);
  EXPECT_EQ(h.sent<messages::Finished>(again).size(), 1U);
}

TEST(LastModel, AClientWhoseConnectionIsLostIsWelcomedAtOnceAndOtherwiseNotAwaited) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  (void)h.connect("b");
  EXPECT_EQ(h.apply(PeerGone{a.peer}), Verdict::accepted);
  Peer again = h.peer("a");
  ASSERT_EQ(h.hello(again), Verdict::accepted);
  EXPECT_EQ(h.sent<messages::Finished>(again).size(), 1U);
  EXPECT_TRUE(h.coordinator.is_awaiting_clients(h.now));
  h.apply(PeerGone{again.peer});
  h.apply(PeerGone{h.connect("c").peer});
  h.advance(seconds(6));
  EXPECT_EQ(h.coordinator.progress(h.now).connected, 1U) << "b";
}

TEST(LastModel, AClientOfAnotherVersionIsToldSo) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  h.apply(MessageMalformed{a.peer, "a", {ErrorCode::refused, "frame", "is of another version", ""}});
  EXPECT_TRUE(h.refused(a, messages::RefuseReason::version));
}

// --- Attacks ---

TEST(AdversaryLastModel, AClientThatIsRevokedAfterTheLastRoundGetsNoModel) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  h.forget();
  EXPECT_EQ(h.apply(AdmissionChanged{{"b", "c"}, {"a"}}), Verdict::accepted);
  EXPECT_EQ(h.all<DisconnectClient>().size(), 1U);
  h.say(a, messages::Pull{h.coordinator.model(), 0, 1'000});
  EXPECT_TRUE(h.all<SendBlob>().empty());
  Peer again = h.peer("a");
  EXPECT_EQ(h.hello(again), Verdict::rejected);
}

TEST(AdversaryLastModel, AClientThatPullsForEverIsNotAwaited) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  for (int i = 0; i < 4; ++i) {
    h.say(a, messages::Pull{h.coordinator.model(), 0, 1'000});
    h.now += seconds(15);
  }
  EXPECT_FALSE(h.coordinator.is_awaiting_clients(h.now)) << "its third pull of the same bytes counts no more";
}

TEST(AdversaryLastModel, AClientThatPullsSingleBytesIsAwaitedNoLongerThanARoundLasts) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  for (int i = 0; i < 13; ++i) {
    h.say(a, messages::Pull{h.coordinator.model(), 0, 1});
    h.now += seconds(5);
  }
  EXPECT_FALSE(h.coordinator.is_awaiting_clients(h.now));
}

TEST(AdversaryLastModel, APullFromBeyondItsEndEndsTheSession) {
  FinishedFederation h;
  const Peer a = h.connect("a");
  h.say(a, messages::Pull{h.coordinator.model(), 1'000, 1});
  EXPECT_TRUE(h.refused(a, messages::RefuseReason::out_of_order));
}

}  // namespace
}  // namespace hansa::server::testing
