// Every pair of state and event of the round: the table of docs/round.md.
#include <gtest/gtest.h>

#include "protocols/round/round.h"

namespace hansa::round {
namespace {

constexpr Instant start{};
constexpr Instant deadline = start + std::chrono::seconds(60);
constexpr MemberIndex member(0);

const std::vector<Event> events = {UpdateComplete{member},
                                   UpdateCounted{member},
                                   UpdateRejected{member, "why"},
                                   TaskDeclined{member, "why"},
                                   MemberLost{member},
                                   MemberReturned{member},
                                   MemberLeft{member},
                                   Tick{},
                                   CommitDone{}};
constexpr std::size_t tick = 7, commit_done = 8;

void feed(Round& round, const Event& event, Instant now = start) {
  std::vector<Effect> effects;
  ASSERT_EQ(round.apply(event, now, effects), Verdict::accepted);
}

// A round of three with a quorum of two, whose first member has the given state, and which nothing closes yet.
Round training_with(MemberState state) {
  Round round = Round::create(RoundId(1), {2, deadline}, {"a", "b", "c"}).value();
  switch (state) {
    case MemberState::pending: break;
    case MemberState::absent: feed(round, MemberLost{member}); break;
    case MemberState::left: feed(round, MemberLeft{member}); break;
    case MemberState::verifying: feed(round, UpdateComplete{member}); break;
    case MemberState::counted:
      feed(round, UpdateComplete{member});
      feed(round, UpdateCounted{member});
      break;
    case MemberState::declined: feed(round, TaskDeclined{member, "no"}); break;
    case MemberState::rejected: feed(round, UpdateRejected{member, "no"}); break;
  }
  EXPECT_EQ(round.members()[0].state, state);
  EXPECT_EQ(round.state(), State::training);
  return round;
}

Round closed(State state) {
  Round round = Round::create(RoundId(1), {1, deadline}, {"a"}).value();
  if (state == State::failed) {
    feed(round, TaskDeclined{member, "no"});
  } else {
    feed(round, UpdateComplete{member});
    feed(round, UpdateCounted{member});
    if (state == State::committed) feed(round, CommitDone{});
  }
  EXPECT_EQ(round.state(), state);
  return round;
}

// The member's next state for each of the seven events about a member; "-": discarded.
struct Row {
  MemberState from;
  const char* to[7];
};
const Row table[] = {
    // complete, counted, rejected, declined, lost, returned, left
    {MemberState::pending, {"verifying", "-", "rejected", "declined", "absent", "-", "left"}},
    {MemberState::absent, {"verifying", "-", "rejected", "declined", "-", "pending", "left"}},
    {MemberState::left, {"verifying", "-", "rejected", "declined", "-", "pending", "-"}},
    {MemberState::verifying, {"-", "counted", "rejected", "-", "-", "-", "-"}},
    {MemberState::counted, {"-", "-", "-", "-", "-", "-", "-"}},
    {MemberState::declined, {"-", "-", "-", "-", "-", "-", "-"}},
    {MemberState::rejected, {"-", "-", "-", "-", "-", "-", "-"}},
};

TEST(RoundTable, TrainingChangesItsMembersAsInTheTable) {
  for (const auto& row : table) {
    for (std::size_t i = 0; i < 7; ++i) {
      SCOPED_TRACE(std::string(name(row.from)) + " x event " + std::to_string(i));
      Round round = training_with(row.from);
      std::vector<Effect> effects;
      const Verdict verdict = round.apply(events[i], start, effects);
      const bool discarded = row.to[i] == std::string("-");
      EXPECT_EQ(verdict, discarded ? Verdict::discarded : Verdict::accepted);
      EXPECT_STREQ(name(round.members()[0].state), discarded ? name(row.from) : row.to[i]);
      EXPECT_EQ(round.state(), State::training);
      EXPECT_TRUE(effects.empty());
    }
  }
}

TEST(RoundTable, TrainingAcceptsTicksAndNoCommit) {
  for (const auto& row : table) {
    Round round = training_with(row.from);
    std::vector<Effect> effects;
    EXPECT_EQ(round.apply(events[tick], start, effects), Verdict::accepted);
    EXPECT_EQ(round.apply(events[commit_done], start, effects), Verdict::discarded);
    EXPECT_EQ(round.members()[0].state, row.from);
    EXPECT_TRUE(effects.empty());
  }
}

TEST(RoundTable, SealedAcceptsOnlyTheCommit) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    Round round = closed(State::sealed);
    std::vector<Effect> effects;
    const Verdict verdict = round.apply(events[i], deadline, effects);
    EXPECT_EQ(verdict, i == commit_done ? Verdict::accepted : Verdict::discarded) << i;
    EXPECT_EQ(round.state(), i == commit_done ? State::committed : State::sealed) << i;
    EXPECT_EQ(round.members()[0].state, MemberState::counted) << i;
    EXPECT_TRUE(effects.empty()) << i;
  }
}

TEST(RoundTable, CommittedAndFailedAcceptNothing) {
  for (const State state : {State::committed, State::failed}) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      Round round = closed(state);
      const MemberState before = round.members()[0].state;
      std::vector<Effect> effects;
      EXPECT_EQ(round.apply(events[i], deadline, effects), Verdict::discarded) << i;
      EXPECT_EQ(round.state(), state) << i;
      EXPECT_EQ(round.members()[0].state, before) << i;
      EXPECT_TRUE(effects.empty()) << i;
    }
  }
}

TEST(RoundTable, MembersOutsideTheCohortAreDiscarded) {
  const MemberIndex stranger(3);
  for (const Event& event :
       std::vector<Event>{UpdateComplete{stranger}, UpdateCounted{stranger}, UpdateRejected{stranger, ""},
                          TaskDeclined{stranger, ""}, MemberLost{stranger}, MemberLeft{stranger},
                          MemberReturned{stranger}}) {
    Round round = training_with(MemberState::pending);
    std::vector<Effect> effects;
    EXPECT_EQ(round.apply(event, start, effects), Verdict::discarded);
  }
}

}  // namespace
}  // namespace hansa::round
