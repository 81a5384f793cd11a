// The round's quorum, deadline and invariants.
#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/round/round.h"

namespace hansa::round {
namespace {

constexpr Instant start{};
constexpr Instant deadline = start + std::chrono::seconds(60);
constexpr Duration instant_step = std::chrono::nanoseconds(1);

Round make(std::uint32_t quorum, std::uint32_t cohort) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < cohort; ++i) names.push_back("client-" + std::to_string(i));
  return Round::create(RoundId(1), {quorum, deadline}, names).value();
}

std::vector<Effect> feed(Round& round, const Event& event, Instant now = start) {
  std::vector<Effect> effects;
  EXPECT_EQ(round.apply(event, now, effects), Verdict::accepted);
  return effects;
}

std::vector<Effect> count(Round& round, std::uint32_t member, Instant now = start) {
  EXPECT_TRUE(feed(round, UpdateComplete{MemberIndex(member)}, now).empty());
  return feed(round, UpdateCounted{MemberIndex(member)}, now);
}

bool is_seal(const std::vector<Effect>& effects) {
  return effects.size() == 1 && std::holds_alternative<Seal>(effects[0]);
}
bool is_abandon(const std::vector<Effect>& effects) {
  return effects.size() == 1 && std::holds_alternative<Abandon>(effects[0]);
}

TEST(Round, NeedsACohortAndAQuorumWithinIt) {
  EXPECT_FALSE(Round::create(RoundId(1), {1, deadline}, {}));
  EXPECT_FALSE(Round::create(RoundId(1), {0, deadline}, {"a"}));
  EXPECT_FALSE(Round::create(RoundId(1), {2, deadline}, {"a"}));
  EXPECT_FALSE(
      Round::create(RoundId(1), {1, deadline}, std::vector<std::string>(Round::cohort_max + 1, "a")));
  EXPECT_TRUE(Round::create(RoundId(1), {1, deadline}, {"a"}));
}

TEST(Round, SealsWhenTheLastOfTheCohortIsCounted) {
  Round round = make(1, 3);
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(count(round, 1).empty());
  EXPECT_TRUE(is_seal(count(round, 2)));
  EXPECT_EQ(round.state(), State::sealed);
}

TEST(Round, WaitsForPendingMembersUntilTheDeadlineAlthoughTheQuorumIsReached) {
  Round round = make(1, 2);
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(feed(round, Tick{}, deadline - instant_step).empty());
  EXPECT_TRUE(is_seal(feed(round, Tick{}, deadline)));
}

TEST(Round, AbsentMembersAreNotAwaitedOnceTheQuorumIsCounted) {
  Round round = make(1, 2);
  EXPECT_TRUE(feed(round, MemberLost{MemberIndex(1)}).empty());
  EXPECT_TRUE(is_seal(count(round, 0)));
}

TEST(Round, AbsentMembersAreAwaitedWhileTheQuorumNeedsThem) {
  Round round = make(2, 2);
  EXPECT_TRUE(feed(round, MemberLost{MemberIndex(1)}).empty());
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(feed(round, MemberReturned{MemberIndex(1)}).empty());
  EXPECT_TRUE(is_seal(count(round, 1)));
}

TEST(Round, FailsAtTheDeadlineWithoutTheQuorum) {
  Round round = make(2, 3);
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(feed(round, Tick{}, deadline - instant_step).empty());
  const auto effects = feed(round, Tick{}, deadline);
  ASSERT_TRUE(is_abandon(effects));
  EXPECT_EQ(std::get<Abandon>(effects[0]).reason, "1 of the 2 updates that the quorum needs at the deadline");
  EXPECT_EQ(round.state(), State::failed);
}

TEST(Round, FailsAtOnceWhenTheQuorumCanNoLongerBeReached) {
  Round round = make(2, 3);
  EXPECT_TRUE(feed(round, TaskDeclined{MemberIndex(0), "no"}).empty());
  const auto effects = feed(round, UpdateRejected{MemberIndex(1), "no"});
  ASSERT_TRUE(is_abandon(effects));
  EXPECT_EQ(std::get<Abandon>(effects[0]).reason,
            "0 of the 2 updates that the quorum needs, and too few clients left");
}

TEST(Round, AnUpdateThatIsCompleteAtTheDeadlineIsStillCounted) {
  Round round = make(2, 2);
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(feed(round, UpdateComplete{MemberIndex(1)}, deadline - instant_step).empty());
  EXPECT_TRUE(feed(round, Tick{}, deadline).empty());
  EXPECT_TRUE(is_seal(feed(round, UpdateCounted{MemberIndex(1)}, deadline + std::chrono::seconds(9))));
}

TEST(Round, AnUpdateThatIsRejectedAfterTheDeadlineFailsTheRoundThatNeededIt) {
  Round round = make(2, 2);
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(feed(round, UpdateComplete{MemberIndex(1)}).empty());
  EXPECT_TRUE(is_abandon(feed(round, UpdateRejected{MemberIndex(1), "digest"}, deadline)));
}

TEST(Round, ARoundIsNotSealedWhileAnUpdateIsBeingVerified) {
  Round round = make(1, 2);
  EXPECT_TRUE(feed(round, UpdateComplete{MemberIndex(1)}).empty());
  EXPECT_TRUE(count(round, 0).empty());
  EXPECT_TRUE(is_seal(feed(round, UpdateCounted{MemberIndex(1)})));
}

TEST(Round, AMemberThatReturnsHasNoReason) {
  Round round = make(1, 2);
  (void)feed(round, TaskDeclined{MemberIndex(0), "battery"});
  EXPECT_EQ(round.members()[0].reason, "battery");
  (void)feed(round, MemberLost{MemberIndex(1)});
  (void)feed(round, MemberReturned{MemberIndex(1)});
  EXPECT_EQ(round.members()[1].reason, "");
}

bool is_terminal(MemberState state) {
  return state == MemberState::counted || state == MemberState::declined || state == MemberState::rejected;
}

Event random_event(Random& random, std::uint32_t cohort) {
  const MemberIndex m(
      static_cast<std::uint32_t>(random.below(cohort + 1)));  // sometimes not a member of the cohort
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: return UpdateComplete{m};
    case 3:
    case 4:
    case 5: return UpdateCounted{m};
    case 6: return random.chance(0.3) ? Event(UpdateRejected{m, "x"}) : Event(Tick{});
    case 7: return random.chance(0.3) ? Event(TaskDeclined{m, "x"}) : Event(CommitDone{});
    case 8: return random.chance(0.3) ? Event(MemberLeft{m}) : Event(MemberLost{m});
    default: return MemberReturned{m};
  }
}

// A failure prints its seed, which determines the whole sequence.
TEST(RoundProperties, HoldForRandomEvents) {
  int sealed = 0;
  int failed = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto cohort = static_cast<std::uint32_t>(1 + random.below(6));
    const auto quorum = static_cast<std::uint32_t>(1 + random.below(cohort));
    Round round = make(quorum, cohort);
    Instant now = start;
    int seals = 0;
    int abandons = 0;
    for (int step = 0; step < 120; ++step) {
      now += std::chrono::milliseconds(random.below(1'000));
      const std::vector<Member> before = round.members();
      const State state_before = round.state();
      std::vector<Effect> effects;
      const Verdict verdict = round.apply(random_event(random, cohort), now, effects);
      for (std::size_t i = 0; i < before.size(); ++i) {
        const bool changed = before[i].state != round.members()[i].state;
        // A member has one terminal state, and no member changes after the round closed.
        ASSERT_FALSE(changed && is_terminal(before[i].state));
        ASSERT_FALSE(changed && state_before != State::training);
        ASSERT_FALSE(changed && verdict == Verdict::discarded);
      }
      ASSERT_FALSE(verdict == Verdict::discarded && (round.state() != state_before || !effects.empty()));
      for (const auto& effect : effects) {
        if (std::holds_alternative<Seal>(effect)) {
          ++seals;
          ASSERT_EQ(round.state(), State::sealed);
          ASSERT_GE(round.count(MemberState::counted), quorum);
          ASSERT_EQ(round.count(MemberState::verifying), 0U);
        } else {
          ++abandons;
          ASSERT_EQ(round.state(), State::failed);
          ASSERT_LT(round.count(MemberState::counted), quorum);
        }
      }
      ASSERT_LE(seals + abandons, 1);
    }
    sealed += seals;
    failed += abandons;
  }
  // The random events must reach both ends of a round; otherwise the properties show little.
  EXPECT_GT(sealed, 500);
  EXPECT_GT(failed, 500);
}

TEST(RoundProperties, SameEventsSameEffects) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random first(seed);
    Random second(seed);
    Round a = make(2, 4);
    Round b = make(2, 4);
    for (int step = 0; step < 60; ++step) {
      std::vector<Effect> effects_a;
      std::vector<Effect> effects_b;
      const Instant now = start + std::chrono::seconds(2 * step);
      ASSERT_EQ(a.apply(random_event(first, 4), now, effects_a),
                b.apply(random_event(second, 4), now, effects_b));
      ASSERT_EQ(effects_a.size(), effects_b.size());
      ASSERT_EQ(a.state(), b.state());
    }
  }
}

}  // namespace
}  // namespace hansa::round
