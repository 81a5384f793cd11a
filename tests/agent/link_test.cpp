// The link and the session: greeting, backoff, refusals, liveness.
#include <set>

#include <gtest/gtest.h>

#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

using messages::RefuseReason;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Error unreachable{ErrorCode::network, "tcp://here:1", "nobody answers", "start the aggregator"};

TEST(Link, OpensAtTheFirstTickAndSaysHelloWhenItIsUp) {
  Harness h;
  h.apply(DataKnown{{6'000, 0, {}, {}}});
  h.apply(TickEvent{});
  ASSERT_EQ(h.all<OpenLink>().size(), 1U);
  EXPECT_EQ(h.all<OpenLink>()[0].attempt, 0U);
  EXPECT_TRUE(h.sent<messages::Hello>().empty());
  h.apply(LinkUp{});
  ASSERT_EQ(h.all<Send>().size(), 1U);
  EXPECT_EQ(h.all<Send>()[0].session, SessionId());
  const auto hello = h.sent<messages::Hello>().at(0);
  EXPECT_EQ(hello.federation, "harbour");
  EXPECT_EQ(hello.instance, 77U);
  EXPECT_EQ(hello.data.examples, 6'000U);
}

TEST(Link, AProblemWithTheDataTravelsInHello) {
  Harness h;
  h.apply(DataKnown{{0, 0, {{ReasonCode::data_unreadable, {}}, {}}, {}}});
  h.reach_greeting();
  EXPECT_EQ(h.sent<messages::Hello>().at(0).data.problem.reason.code, ReasonCode::data_unreadable);
}

TEST(Link, BackoffDoublesWithJitterUpToItsMaximum) {
  Harness h;
  const AgentConfig config = Harness::small_config();
  Duration whole = config.reconnect_min;
  std::set<Duration> waits;
  for (std::uint64_t attempt = 0; attempt < 40; ++attempt) {
    h.forget();
    h.reach_linking();
    EXPECT_EQ(h.all<OpenLink>().at(0).attempt, attempt);
    h.apply(LinkDown{unreachable});
    ASSERT_EQ(h.agent.state(), LinkState::offline);
    EXPECT_EQ(h.all<CloseLink>().size(), 1U);
    const Duration wait = h.agent.next_tick() - h.now;
    EXPECT_GE(wait, whole / 2 - milliseconds(1)) << attempt;
    EXPECT_LE(wait, whole) << attempt;
    waits.insert(wait);
    whole = std::min(whole * 2, config.reconnect_max);
  }
  EXPECT_GT(waits.size(), 30U) << "jitter";
}

TEST(Link, TwoClientsDoNotReconnectAtTheSameMoment) {
  AgentConfig other = Harness::small_config();
  other.instance = 78;
  Harness a;
  Harness b(other);
  for (Harness* h : {&a, &b}) {
    h->reach_linking();
    h->apply(LinkDown{unreachable});
  }
  EXPECT_NE(a.agent.next_tick(), b.agent.next_tick());
}

TEST(Link, AWelcomeResetsTheBackoff) {
  Harness h;
  for (int i = 0; i < 8; ++i) {
    h.reach_linking();
    h.apply(LinkDown{unreachable});
  }
  h.go_online();
  h.apply(LinkDown{unreachable});
  EXPECT_LE(h.agent.next_tick() - h.now, Harness::small_config().reconnect_min);
  h.forget();
  h.reach_linking();
  EXPECT_LE(h.all<OpenLink>().at(0).attempt, 1U);
}

TEST(Link, TheSameErrorIsLoggedOnceAndThenEveryTenthTime) {
  Harness h;
  for (int i = 0; i < 20; ++i) {
    h.reach_linking();
    h.apply(LinkDown{unreachable});
  }
  EXPECT_EQ(h.all<Log>().size(), 2U);
  h.reach_linking();
  h.apply(LinkDown{{ErrorCode::refused, "tcp://here:1", "does not admit this key", "admit it"}});
  ASSERT_GE(h.all<Log>().size(), 3U);
  EXPECT_EQ(h.all<Log>().back().level, Log::Level::error);
}

TEST(Link, AnUnansweredHelloEndsTheAttempt) {
  Harness h;
  h.reach_greeting();
  h.advance(Harness::small_config().greeting_max - milliseconds(1));
  EXPECT_EQ(h.agent.state(), LinkState::greeting);
  h.advance(milliseconds(1));
  EXPECT_EQ(h.agent.state(), LinkState::offline);
  EXPECT_EQ(h.all<CloseLink>().size(), 1U);
}

TEST(Link, ARefusalIsLoggedWithItsHintAndWaitsAsRequested) {
  for (const auto reason : {RefuseReason::version, RefuseReason::federation, RefuseReason::identity_in_use,
                            RefuseReason::malformed, RefuseReason::out_of_order}) {
    Harness h;
    h.reach_greeting();
    h.forget();
    h.receive(SessionId(), messages::Refuse{reason, "is wrong", "fix it so", 60'000});
    EXPECT_EQ(h.agent.state(), LinkState::offline);
    EXPECT_GE(h.agent.next_tick() - h.now, seconds(60));
    ASSERT_EQ(h.all<Log>().size(), 1U);
    EXPECT_NE(h.all<Log>()[0].text.find("is wrong; fix it so"), std::string::npos);
    EXPECT_TRUE(h.all<Exit>().empty()) << "it reconnects without limit";
    h.go_online();
  }
}

TEST(Link, AfterAnUnknownSessionHelloIsSentAgainOnTheSameLink) {
  Harness h;
  h.go_online();
  h.forget();
  const messages::Refuse unknown{RefuseReason::unknown_session, "not open", "say Hello again", 0};
  h.receive(SessionId(), unknown);
  h.receive(SessionId(), unknown);  // the answer to a second message that was in flight
  EXPECT_EQ(h.agent.state(), LinkState::greeting);
  EXPECT_EQ(h.sent<messages::Hello>().size(), 1U);
  EXPECT_TRUE(h.all<CloseLink>().empty());
  EXPECT_TRUE(h.all<OpenLink>().empty());
  h.go_online();
}

TEST(Link, AfterTheAggregatorsByeTheClientWaitsAndReconnects) {
  Harness h;
  h.go_online();
  h.receive(messages::Bye{"the aggregator stops"});
  EXPECT_EQ(h.agent.state(), LinkState::offline);
  EXPECT_TRUE(h.all<Exit>().empty());
  h.go_online();
}

TEST(Link, FinishedStopsOrStaysAsConfigured) {
  Harness stops;
  stops.go_online();
  stops.receive(messages::Finished{RoundId(3), Digest{}});
  ASSERT_EQ(stops.all<Exit>().size(), 1U);
  EXPECT_EQ(stops.all<Exit>()[0].why, Exit::Why::finished);
  EXPECT_EQ(stops.agent.state(), LinkState::finished);

  AgentConfig config = Harness::small_config();
  config.when_finished = WhenFinished::stay;
  Harness stays(config);
  stays.go_online();
  stays.receive(messages::Finished{RoundId(3), Digest{}});
  EXPECT_EQ(stays.agent.state(), LinkState::online);
  EXPECT_TRUE(stays.all<Exit>().empty());
}

TEST(Link, AStopSaysByeWhenThereIsASession) {
  Harness online;
  online.go_online();
  online.forget();
  online.apply(StopAsked{});
  EXPECT_EQ(online.sent<messages::Bye>().size(), 1U);
  EXPECT_EQ(online.all<Exit>().at(0).why, Exit::Why::stopped);
  Harness offline;
  offline.apply(StopAsked{});
  EXPECT_TRUE(offline.sent<messages::Bye>().empty());
  EXPECT_EQ(offline.all<Exit>().size(), 1U);
}

TEST(Link, AQuietClientPingsEveryThirdOfItsLease) {
  Harness h;
  h.go_online();
  h.forget();
  h.advance(milliseconds(lease_ms / 3));
  EXPECT_EQ(h.sent<messages::Ping>().size(), 1U);
  h.receive(messages::Pong{});
  h.advance(milliseconds(lease_ms / 3));
  EXPECT_EQ(h.sent<messages::Ping>().size(), 2U);
  h.forget();
  h.receive(messages::Ping{});
  EXPECT_EQ(h.sent<messages::Pong>().size(), 1U);
}

TEST(Link, ASilentAggregatorIsLeft) {
  Harness h;
  h.go_online();
  h.advance(milliseconds(lease_ms) - milliseconds(1));
  EXPECT_EQ(h.agent.state(), LinkState::online);
  h.advance(milliseconds(1));
  EXPECT_EQ(h.agent.state(), LinkState::offline);
}

TEST(Link, AMessageThatDoesNotDecodeEndsTheSession) {
  const Error error{ErrorCode::refused, "message", "has protocol version 9, this side speaks 1", ""};
  Harness h;
  h.go_online();
  h.apply(ReceivedMalformed{error});
  EXPECT_EQ(h.agent.state(), LinkState::offline);
  EXPECT_GE(h.agent.next_tick() - h.now, seconds(5));
  EXPECT_NE(h.all<Log>().back().text.find("version 9"), std::string::npos);
}

}  // namespace
}  // namespace hansa::client::testing
