// Sessions alone: states and events as docs/round.md lists them. sessions_test.cpp tests them through a coordinator.
#include <gtest/gtest.h>

#include "server/coordinator/internal/sessions.h"

namespace hansa::server {
namespace {

class SessionsMachine : public ::testing::Test {
 protected:
  Verdict hello(std::uint64_t peer, std::uint64_t instance) {
    messages::Hello hello;
    hello.instance = instance;
    Turn turn(now, effects, sessions);
    return sessions.on_hello(PeerId(peer), "a", hello, turn, notices);
  }
  void tick(Duration later) {
    now += later;
    Turn turn(now, effects, sessions);
    sessions.on_tick(turn, notices);
  }
  bool hear(std::uint64_t peer, SessionId id) {
    Turn turn(now, effects, sessions);
    return sessions.on_heard(PeerId(peer), "a", id, turn);
  }
  template <class T>
  std::size_t noticed() const {
    std::size_t out = 0;
    for (const auto& notice : notices) out += std::holds_alternative<T>(notice) ? 1 : 0;
    return out;
  }

  SessionConfig config{"run",
                       100,
                       std::chrono::seconds(30),
                       std::chrono::seconds(5),
                       std::chrono::seconds(2),
                       std::chrono::seconds(2)};
  Instant now{std::chrono::hours(1)};
  Sessions sessions{config, 3};
  std::vector<Effect> effects;
  Sessions::Notices notices;
};

TEST_F(SessionsMachine, AHelloOpensASessionAndSilenceEndsIt) {
  EXPECT_EQ(hello(1, 10), Verdict::accepted);
  ASSERT_NE(sessions.find("a"), nullptr);
  EXPECT_EQ(sessions.open(), 1U);
  tick(config.lease - std::chrono::seconds(1));
  EXPECT_EQ(noticed<SessionEnded>(), 0U);
  tick(std::chrono::seconds(1));
  EXPECT_EQ(noticed<SessionEnded>(), 1U);
  EXPECT_EQ(sessions.find("a"), nullptr);
  EXPECT_EQ(sessions.open(), 0U);
}

TEST_F(SessionsMachine, ASessionNumberOpensNoOtherSession) {
  hello(1, 10);
  const SessionId id = sessions.find("a")->id;
  EXPECT_TRUE(hear(1, id));
  EXPECT_FALSE(hear(2, id));
  EXPECT_FALSE(hear(1, SessionId(id.value + 1)));
  hello(1, 10);
  EXPECT_FALSE(hear(1, id)) << "a new Hello replaces it";
}

TEST_F(SessionsMachine, ALiveSessionKeepsANewcomerOut) {
  hello(1, 10);
  EXPECT_EQ(hello(2, 20), Verdict::accepted);
  EXPECT_EQ(hello(3, 30), Verdict::rejected) << "a third process";
  EXPECT_TRUE(hear(1, sessions.find("a")->id));
  EXPECT_EQ(sessions.find("a")->peer, PeerId(1));
  EXPECT_EQ(sessions.next_tick(), now + config.probe) << "the tick is harmless";
  tick(config.probe);
  EXPECT_EQ(sessions.find("a")->peer, PeerId(1));
  EXPECT_EQ(noticed<SessionOpened>(), 1U);
}

TEST_F(SessionsMachine, ANewcomerTakesOverASessionThatDoesNotAnswer) {
  hello(1, 10);
  hello(2, 20);
  tick(config.probe);
  EXPECT_EQ(sessions.find("a")->peer, PeerId(2));
  EXPECT_EQ(noticed<SessionOpened>(), 2U);
  EXPECT_EQ(noticed<SessionEnded>(), 0U) << "the client was never away";
  EXPECT_EQ(sessions.open(), 1U);
  ASSERT_TRUE(std::holds_alternative<SessionOpened>(notices.back()));
  EXPECT_EQ(std::get<SessionOpened>(notices.back()).process, Process::fresh);
}

TEST_F(SessionsMachine, ALostConnectionEndsASessionAfterAWhile) {
  hello(1, 10);
  {
    Turn turn(now, effects, sessions);
    EXPECT_TRUE(sessions.on_peer_gone(PeerId(1), turn, notices));
    EXPECT_FALSE(sessions.on_peer_gone(PeerId(1), turn, notices)) << "known already";
  }
  EXPECT_FALSE(sessions.connected("a"));
  tick(config.absence - std::chrono::seconds(1));
  EXPECT_NE(sessions.find("a"), nullptr);
  hello(2, 10);
  EXPECT_TRUE(sessions.connected("a")) << "the same process on another connection";
  EXPECT_EQ(std::get<SessionOpened>(notices.back()).process, Process::same);
}

}  // namespace
}  // namespace hansa::server
