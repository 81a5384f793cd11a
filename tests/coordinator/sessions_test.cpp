// Who may speak: welcomes, refusals, leases, two clients with one key.
#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using messages::RefuseReason;
using std::chrono::seconds;

TEST(Sessions, AHelloIsWelcomedWithTheLimitsOfTheSession) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const auto welcomes = h.sent<messages::Welcome>(a);
  ASSERT_EQ(welcomes.size(), 1U);
  EXPECT_EQ(welcomes[0].client, "a");
  EXPECT_EQ(welcomes[0].run, "run-1");
  EXPECT_EQ(welcomes[0].lease_ms, 30'000U);
  EXPECT_EQ(welcomes[0].chunk_bytes, 100U);
}

TEST(Sessions, AnotherFederationIsRefusedByBothNames) {
  Harness h(small_config());
  Peer a = h.peer("a");
  EXPECT_EQ(h.hello(a, 10, "lagoon"), Verdict::rejected);
  const auto refusals = h.sent<messages::Refuse>(a);
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].reason, RefuseReason::federation);
  EXPECT_NE(refusals[0].what.find("harbour"), std::string::npos);
  EXPECT_NE(refusals[0].what.find("lagoon"), std::string::npos);
  EXPECT_FALSE(refusals[0].hint.empty());
  EXPECT_EQ(h.coordinator.progress(h.now).connected, 0U);
}

TEST(Sessions, AnotherVersionIsRefusedAsSuchAndGarbageAsMalformed) {
  Harness h(small_config());
  const Peer a = h.peer("a");
  const Error version{ErrorCode::refused, "message", "has protocol version 9, this side speaks 1", ""};
  EXPECT_EQ(h.apply(MessageMalformed{a.peer, "a", version}), Verdict::rejected);
  EXPECT_TRUE(h.refused(a, RefuseReason::version));
  EXPECT_FALSE(h.refused(a, RefuseReason::malformed));
  const Error garbage{ErrorCode::protocol, "message", "is cut short", ""};
  EXPECT_EQ(h.apply(MessageMalformed{a.peer, "a", garbage}), Verdict::rejected);
  EXPECT_TRUE(h.refused(a, RefuseReason::malformed));
}

TEST(Sessions, AnyMessageOfAnUnknownSessionIsRefused) {
  Harness h(small_config());
  Peer stranger = h.peer("a");
  EXPECT_EQ(h.say(stranger, messages::Ping{}), Verdict::rejected);
  EXPECT_TRUE(h.refused(stranger, RefuseReason::unknown_session));
  Peer a = h.connect("a");
  a.session = SessionId(a.session.value + 1);
  EXPECT_EQ(h.say(a, messages::Ping{}), Verdict::rejected);
  Peer thief = h.peer("b");
  thief.session = h.connect("c").session;
  EXPECT_EQ(h.say(thief, messages::Ping{}), Verdict::rejected) << "another's session number opens nothing";
}

TEST(Sessions, AFarewellOfAnEndedSessionIsNotAnswered) {
  Harness h(small_config());
  const Peer a = h.peer("a");
  EXPECT_EQ(h.say(a, messages::Bye{"bye"}), Verdict::discarded);
  EXPECT_TRUE(h.effects.empty());
}

TEST(Sessions, TheSameProcessOnAnotherConnectionReplacesItsSession) {
  Harness h(small_config());
  const Peer before = h.connect("a");
  Peer after = h.peer("a");
  after.instance = before.instance;
  EXPECT_EQ(h.hello(after), Verdict::accepted);
  EXPECT_NE(after.session, before.session);
  EXPECT_EQ(h.say(after, messages::Ping{}), Verdict::accepted);
  EXPECT_EQ(h.say(before, messages::Ping{}), Verdict::rejected);
}

TEST(Sessions, ASecondClientWithTheKeyOfALiveOneIsRefused) {
  Harness h(small_config());
  const Peer old_one = h.connect("a");
  h.forget();
  Peer second = h.peer("a");
  h.hello(second);
  EXPECT_EQ(second.session, SessionId());
  EXPECT_EQ(h.sent<messages::Ping>(old_one).size(), 1U) << "the old one is asked whether it lives";
  EXPECT_EQ(h.say(old_one, messages::Pong{}), Verdict::accepted);
  EXPECT_TRUE(h.refused(second, RefuseReason::identity_in_use));
  EXPECT_FALSE(h.refused(old_one, RefuseReason::identity_in_use));
}

TEST(Sessions, ASecondClientWithTheKeyOfASilentOneIsWelcomedAfterTheProbe) {
  Harness h(small_config());
  const Peer old_one = h.connect("a");
  Peer second = h.peer("a");
  h.hello(second);
  h.advance(h.config.process.probe - std::chrono::milliseconds(1));
  EXPECT_TRUE(h.sent<messages::Welcome>(second).empty());
  h.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(h.sent<messages::Welcome>(second).size(), 1U);
  EXPECT_EQ(h.say(old_one, messages::Ping{}), Verdict::rejected);
}

TEST(Sessions, AThirdClientWithTheKeyIsRefusedAtOnce) {
  Harness h(small_config());
  (void)h.connect("a");
  Peer second = h.peer("a");
  Peer third = h.peer("a");
  h.hello(second);
  EXPECT_EQ(h.hello(third), Verdict::rejected);
  EXPECT_TRUE(h.refused(third, RefuseReason::identity_in_use));
}

TEST(Sessions, ANewProcessIsWelcomedAtOnceWhenTheOldConnectionIsLost) {
  Harness h(small_config());
  const Peer old_one = h.connect("a");
  EXPECT_EQ(h.apply(PeerGone{old_one.peer}), Verdict::accepted);
  EXPECT_EQ(h.apply(PeerGone{old_one.peer}), Verdict::discarded);
  (void)h.connect("a");
}

TEST(Sessions, TheNewExamplesOfAConnectedClientAreThoseOfItsLastReport) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  messages::DataReport report;
  report.examples = 10;
  report.new_examples = 4;
  ASSERT_EQ(h.say(a, report), Verdict::accepted);
  const auto connected = h.coordinator.progress(h.now).connected_clients;
  ASSERT_EQ(connected.size(), 1U);
  EXPECT_EQ(connected[0].client, "a");
  EXPECT_EQ(connected[0].new_examples, 4U);
  h.apply(PeerGone{a.peer});
  EXPECT_TRUE(h.coordinator.progress(h.now).connected_clients.empty());
}

TEST(Sessions, ASilentClientIsPingedAndItsSessionEndsWithTheLease) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  h.advance(h.config.process.ping + seconds(1));
  EXPECT_GE(h.sent<messages::Ping>(a).size(), 1U);
  h.advance(h.config.process.lease - h.config.process.ping - seconds(2));
  EXPECT_EQ(h.coordinator.progress(h.now).connected, 1U);
  h.advance(seconds(2));
  EXPECT_EQ(h.coordinator.progress(h.now).connected, 0U);
  EXPECT_EQ(h.say(a, messages::Ping{}), Verdict::rejected);
  EXPECT_TRUE(h.refused(a, RefuseReason::unknown_session));
}

TEST(Sessions, AnswersKeepTheLease) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  for (int i = 0; i < 20; ++i) {
    h.advance(h.config.process.lease / 2);
    ASSERT_EQ(h.say(a, messages::Pong{}), Verdict::accepted);
  }
}

TEST(Sessions, ALostConnectionIsGoneAfterTheAbsence) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  h.apply(PeerGone{a.peer});
  h.advance(h.config.process.absence - seconds(1));
  EXPECT_EQ(h.coordinator.progress(h.now).connected, 1U);
  h.advance(seconds(2));
  EXPECT_EQ(h.coordinator.progress(h.now).connected, 0U);
}

TEST(Sessions, AMessageThatOnlyAnAggregatorSendsEndsTheSessionAndTheRoundContinues) {
  for (const messages::Type type :
       {messages::Welcome::type, messages::TrainTask::type, messages::BlobChunk::type, messages::Grant::type,
        messages::UnmaskRequest::type}) {
    SCOPED_TRACE(type.name);
    Harness h(small_config());
    const Peer a = h.connect("a");
    const Peer b = h.connect("b");
    ASSERT_EQ(h.coordinator.phase(), Phase::in_round);
    EXPECT_EQ(h.say_misdirected(a, type), Verdict::rejected);
    EXPECT_TRUE(h.refused(a, RefuseReason::out_of_order));
    EXPECT_EQ(h.sent<messages::Refuse>(a)[0].what, std::string(type.name) + " is not for a client to send");
    EXPECT_EQ(h.say(a, messages::Ping{}), Verdict::rejected) << "the session has ended";
    ASSERT_EQ(h.coordinator.phase(), Phase::in_round);
    h.finish_task(b);
    h.finish_task(h.connect("a"));
    EXPECT_EQ(h.coordinator.phase(), Phase::committing);
  }
}

TEST(Sessions, AMessageThatOnlyAnAggregatorSendsOpensNoSession) {
  Harness h(small_config());
  const Peer stranger = h.peer("a");
  EXPECT_EQ(h.say_misdirected(stranger), Verdict::rejected);
  EXPECT_TRUE(h.refused(stranger, RefuseReason::unknown_session));
}

TEST(Sessions, BulkOnAMessageThatHasNoneEndsTheSession) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  EXPECT_EQ(h.say(a, messages::Ping{}, 5), Verdict::rejected);
  EXPECT_TRUE(h.refused(a, RefuseReason::out_of_order));
}

TEST(Sessions, OnAConnectionOneProcessMayFollowAnother) {
  Harness h(small_config());
  Peer a = h.connect("a");
  a.instance += 500;
  const SessionId before = a.session;
  EXPECT_EQ(h.hello(a), Verdict::accepted);
  EXPECT_NE(a.session, before);
}

}  // namespace
}  // namespace hansa::server::testing
