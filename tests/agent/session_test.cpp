// The session machine alone: every state x event pair, and what it asks for.
#include "client/agent/session.h"

#include <gtest/gtest.h>

namespace hansa::client {
namespace {

using L = LinkState;
using std::chrono::seconds;

const Error cut{ErrorCode::network, "tcp://here:1", "the connection was cut", ""};
const SessionId id(70);
const messages::Welcome welcome{"a", "run-1", 30'000, 100};

struct Bench {
  Session session;
  Instant now{std::chrono::hours(1)};
  std::vector<Effect> effects;
  Bench() : session(config(), now) {}

  static AgentConfig config() {
    AgentConfig out;
    out.federation = "harbour";
    out.instance = 77;
    return out;
  }
  void tick(const Work& work = {}) {
    now = std::max(now, session.next_tick(work, now));
    session.tick(work, now, effects);
  }
  void bring_to(L state) {
    if (state == L::finished) session.finish(Exit::Why::stopped, effects);
    else if (state != L::offline) tick();
    if (state == L::greeting || state == L::online) session.link_up(now, effects);
    if (state == L::online) session.welcomed(id, welcome, now, effects);
    ASSERT_EQ(session.state(), state);
    effects.clear();
  }
  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& effect : effects)
      if (const auto* found = std::get_if<T>(&effect)) out.push_back(*found);
    return out;
  }
};

using Call = void (*)(Bench&);
messages::Refuse refusal(messages::RefuseReason reason) { return {reason, "what", "hint", 0}; }
const Call calls[] = {
    [](Bench& b) { b.session.link_up(b.now, b.effects); },
    [](Bench& b) { b.session.link_down(cut, b.now, b.effects); },
    [](Bench& b) { b.session.malformed(cut, b.now, b.effects); },
    [](Bench& b) { b.session.welcomed(id, welcome, b.now, b.effects); },
    [](Bench& b) { b.session.refused(refusal(messages::RefuseReason::unknown_session), b.now, b.effects); },
    [](Bench& b) { b.session.refused(refusal(messages::RefuseReason::federation), b.now, b.effects); },
    [](Bench& b) { b.session.aggregator_left("bye", b.now, b.effects); },
    [](Bench& b) {
      b.session.data_known({1, 0, {}, {}}, std::nullopt, b.now, b.effects);
    },
    [](Bench& b) { b.tick(); },
    [](Bench& b) { b.session.finish(Exit::Why::stopped, b.effects); },
};

// The state after each call, in their order; '.': as before.
struct Row {
  L from;
  const char* next;
};
const Row table[] = {
    {L::offline, "........lf"},
    {L::linking, "go.......f"},
    {L::greeting, ".oon.o..of"},
    {L::online, ".oo.goo..f"},
};

L state_of(char letter, L from) {
  switch (letter) {
    case 'o': return L::offline;
    case 'l': return L::linking;
    case 'g': return L::greeting;
    case 'n': return L::online;
    case 'f': return L::finished;
    default: return from;
  }
}

TEST(SessionTable, EveryStateAndEventDoAsTheTableSays) {
  for (const Row& row : table) {
    ASSERT_EQ(std::string_view(row.next).size(), std::size(calls));
    for (std::size_t i = 0; i < std::size(calls); ++i) {
      SCOPED_TRACE(std::string(name(row.from)) + " x call " + std::to_string(i));
      Bench b;
      b.bring_to(row.from);
      calls[i](b);
      EXPECT_STREQ(name(b.session.state()), name(state_of(row.next[i], row.from)));
      const bool leaves = row.next[i] == 'o' || row.next[i] == 'f';
      EXPECT_EQ(b.all<CloseLink>().size(), leaves ? 1U : 0U);
    }
  }
}

TEST(Session, SendsAndReceivesOnlyWhileOnline) {
  for (const L state : {L::offline, L::linking, L::greeting, L::online, L::finished}) {
    SCOPED_TRACE(name(state));
    Bench b;
    b.bring_to(state);
    const std::size_t heard = state == L::online ? 1 : 0;
    EXPECT_EQ(b.session.hears(id, b.now, b.effects), state == L::online);
    EXPECT_FALSE(b.session.hears(SessionId(71), b.now, b.effects));
    b.session.say(messages::Bye{"bye"}, b.now, b.effects);
    EXPECT_EQ(b.all<Send>().size(), heard);
    b.session.say(SendUpdateRange{{}, TaskId(1), 0, 10, false}, b.now, b.effects);
    ASSERT_EQ(b.all<SendUpdateRange>().size(), heard);
    for (const SendUpdateRange& range : b.all<SendUpdateRange>()) EXPECT_EQ(range.session, id);
  }
}

TEST(Session, OnlyAStalledTransferOpensAnotherSession) {
  for (const Activity activity : {Activity::idle, Activity::training, Activity::transferring}) {
    Bench b;
    b.bring_to(L::online);
    const Instant end = b.now + seconds(90);
    while (b.now < end && b.session.state() == L::online) {
      ASSERT_TRUE(b.session.hears(id, b.now, b.effects)) << "the aggregator is not silent";
      b.tick({TaskId(1), activity});
    }
    EXPECT_EQ(b.session.state() == L::greeting, activity == Activity::transferring);
  }
}

TEST(Session, APingNamesTheTaskOfTheWork) {
  Bench b;
  b.bring_to(L::online);
  b.tick({TaskId(9), Activity::training});
  const auto sent = b.all<Send>();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(std::get<messages::Ping>(sent[0].message).task, TaskId(9));
}

}  // namespace
}  // namespace hansa::client
