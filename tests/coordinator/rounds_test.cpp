// When rounds start, with whom, and how they end.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

TEST(Gathering, StartsAtOnceWithTheClientsExpected) {
  auto config = small_config();
  config.settings.cohort.clients_expected = 3;
  Harness h(config);
  (void)h.connect("a");
  (void)h.connect("b");
  EXPECT_EQ(h.coordinator.phase(), Phase::gathering);
  (void)h.connect("c");
  EXPECT_EQ(h.coordinator.phase(), Phase::in_round);
  EXPECT_EQ(h.coordinator.progress(h.now).members.size(), 3U);
}

TEST(Gathering, ContinuesWithTheMinimumWhenTheWaitIsOver) {
  auto config = small_config();
  config.settings.cohort.clients_expected = 3;
  config.settings.cohort.gather = seconds(10);
  Harness h(config);
  (void)h.connect("a");
  (void)h.connect("b");
  h.advance(seconds(10) - std::chrono::milliseconds(1));
  EXPECT_EQ(h.coordinator.phase(), Phase::gathering);
  h.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(h.coordinator.phase(), Phase::in_round);
}

TEST(Gathering, WithALimitFailsNamingTheMissingClients) {
  auto config = small_config();
  config.settings.cohort.wait_max = seconds(120);
  config.process.lease = config.settings.cohort.wait_max * 2;
  Harness h(config);
  (void)h.connect("a");
  (void)h.connect("b", 0);
  h.advance(config.settings.cohort.wait_max - seconds(1));
  EXPECT_TRUE(h.finished.empty());
  h.advance(seconds(1));
  ASSERT_EQ(h.finished.size(), 1U);
  EXPECT_EQ(h.finished[0].why, Finish::Why::gave_up);
  EXPECT_NE(h.finished[0].text.find("waited 120 s (cohort.wait_s) for clients: 1 of the 2 that "
                                    "cohort.clients_min needs can take part; missing: b (no data: "),
            std::string::npos)
      << h.finished[0].text;
  EXPECT_TRUE(h.finished[0].text.ends_with(", c")) << h.finished[0].text;
  EXPECT_EQ(h.finished[0].hint, "start the missing clients, and correct what the others report");
  EXPECT_EQ(h.coordinator.phase(), Phase::finished);
}

// A time that has passed must not cause a tick every millisecond.
TEST(Gathering, WaitingTakesFewTicks) {
  auto config = small_config();
  config.settings.cohort.clients_expected = 3;
  config.settings.cohort.gather = seconds(10);
  Harness waiting(config);
  EXPECT_LT(waiting.advance(seconds(100)), 150);
  config.settings.after_last_round = AfterLastRound::stay;
  Harness staying(config, RoundId(config.settings.rounds));
  EXPECT_LT(staying.advance(seconds(600)), 700);
  EXPECT_EQ(staying.coordinator.phase(), Phase::gathering);
}

TEST(InRound, WaitingForACheckBeyondTheDeadlineTakesFewTicks) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  h.finish_task(a);
  ASSERT_EQ(h.say(b, h.offer_of(b)), Verdict::accepted);
  h.upload(b);
  EXPECT_LT(h.advance(h.config.settings.cohort.deadline + seconds(10)), 100);
  EXPECT_EQ(h.coordinator.phase(), Phase::in_round);
  EXPECT_EQ(h.check("b"), Verdict::accepted);
  EXPECT_EQ(h.coordinator.phase(), Phase::committing);
}

TEST(InRound, EachMemberGetsItsTask) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  const auto tasks = h.sent<messages::TrainTask>(a);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].task, h.task_of(a));
  EXPECT_EQ(tasks[0].round, RoundId(1));
  EXPECT_EQ(model_of(tasks[0]).vector, sha256("model 0"));
  EXPECT_EQ(model_of(tasks[0]).bytes, 1'000U);
  EXPECT_EQ(tasks[0].deadline_ms, 60'000U);
  const auto others = h.sent<messages::TrainTask>(b);
  ASSERT_EQ(others.size(), 1U);
  EXPECT_NE(others[0].seed, tasks[0].seed);
  EXPECT_NE(others[0].task, tasks[0].task);
  EXPECT_EQ(h.all<RoundStarted>().size(), 1U);
}

TEST(InRound, CommitsWhenAllAreCountedAndTheNextRoundStarts) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  for (std::uint32_t round = 1; round <= 3; ++round) {
    h.finish_task(a, static_cast<std::uint8_t>(round));
    h.finish_task(b, static_cast<std::uint8_t>(round));
    ASSERT_EQ(h.committed.size(), round);
    EXPECT_EQ(h.committed.back().round, RoundId(round));
    EXPECT_EQ(h.committed.back().participations.size(), 2U);
    for (const auto& p : h.committed.back().participations) EXPECT_EQ(p.outcome, Outcome::counted);
    EXPECT_EQ(h.commit(), Verdict::accepted);
    EXPECT_EQ(h.commit(), Verdict::discarded) << "doubled";
  }
  ASSERT_EQ(h.finished.size(), 1U);
  EXPECT_EQ(h.finished[0].why, Finish::Why::all_rounds);
  EXPECT_EQ(h.sent<messages::Finished>(a).size(), 1U);
}

TEST(InRound, NoRoundStartsBeforeTheCommitIsDurable) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  h.finish_task(a);
  h.finish_task(b);
  EXPECT_EQ(h.coordinator.phase(), Phase::committing);
  h.forget();
  h.advance(seconds(20));
  EXPECT_TRUE(h.all<RoundStarted>().empty());
  EXPECT_EQ(h.apply(RoundCommitted{RoundId(2), sha256("x")}), Verdict::discarded) << "another round's commit";
  EXPECT_EQ(h.coordinator.last_committed(), RoundId(0));
  EXPECT_EQ(h.say(h.peer("c"), messages::Ping{}), Verdict::rejected);
}

// A slow link: the deadline limits how long clients may work, not how long their bytes may take.
TEST(InRound, WithoutItsQuorumWaitsBeyondTheDeadlineForArrivingUpdates) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  h.finish_task(a);
  ASSERT_EQ(h.say(b, h.offer_of(b)), Verdict::accepted);
  for (std::uint64_t offset = 0; offset < 900; offset += 100) {
    h.advance(seconds(25));
    h.say(a, messages::Pong{});
    ASSERT_EQ(h.say(b, messages::UpdateChunk{h.task_of(b), offset}, 100), Verdict::accepted);
  }
  EXPECT_EQ(h.coordinator.phase(), Phase::in_round);
  EXPECT_EQ(h.coordinator.progress(h.now).attempt, 1U);
  EXPECT_EQ(h.upload(b, 900), 100U);
  EXPECT_EQ(h.check("b"), Verdict::accepted);
  EXPECT_EQ(h.coordinator.phase(), Phase::committing);
  int told = 0;
  for (const auto& log : h.all<Log>()) told += log.text.find("past its deadline") != std::string::npos;
  EXPECT_EQ(told, 1);
}

// The quorum is two: a is counted, b is not, and no lease ends.
struct OneIsMissing {
  static CoordinatorConfig config() {
    auto out = small_config();
    out.process.lease = std::chrono::hours(1);
    return out;
  }
  Harness h{config()};
  Peer a = h.connect("a");
  Peer b = h.connect("b");
  OneIsMissing() { h.finish_task(a); }
};

TEST(InRound, AModelThatIsStillArrivingAtTheDeadlineIsAlsoAwaited) {
  OneIsMissing world;
  Harness& h = world.h;
  const Peer& b = world.b;
  h.advance(seconds(50));
  ASSERT_EQ(h.say(b, messages::Pull{sha256("model 0"), 200, 100}), Verdict::accepted);
  h.advance(seconds(50));
  EXPECT_EQ(h.coordinator.progress(h.now).attempt, 1U);
  h.advance(seconds(30));
  EXPECT_EQ(h.coordinator.progress(h.now).attempt, 2U) << "nothing moved for a minute";
}

TEST(InRound, AClientThatPullsTheSameBytesForeverIsNotAwaited) {
  OneIsMissing world;
  Harness& h = world.h;
  const Peer& b = world.b;
  for (int i = 0; i < 40 && h.coordinator.progress(h.now).attempt == 1; ++i) {
    h.say(b, messages::Pull{sha256("model 0"), 0, 1'000});
    h.advance(seconds(30));
  }
  EXPECT_EQ(h.coordinator.progress(h.now).attempt, 2U);
}

TEST(InRound, ArrivingUpdatesAreNotAwaitedIfTheQuorumIsCountedOrOutOfReach) {
  for (const double quorum : {0.3, 1.0}) {
    SCOPED_TRACE(quorum);
    auto config = small_config();
    config.process.lease = std::chrono::hours(1);
    config.settings.cohort.clients_min = 3;
    config.settings.cohort.quorum = quorum;
    Harness h(config);
    const Peer a = h.connect("a");
    const Peer b = h.connect("b");
    const Peer c = h.connect("c");
    h.finish_task(a);
    ASSERT_EQ(h.say(b, h.offer_of(b)), Verdict::accepted);
    h.advance(seconds(59));
    ASSERT_EQ(h.say(b, messages::UpdateChunk{h.task_of(b), 0}, 100), Verdict::accepted);
    h.advance(seconds(2));
    if (quorum < 1) EXPECT_EQ(h.coordinator.phase(), Phase::committing);
    else EXPECT_EQ(h.coordinator.progress(h.now).attempt, 2U);
  }
}

TEST(InRound, AMissedQuorumIsTriedAgainWithTheSameTask) {
  auto config = small_config();
  config.settings.cohort.attempts_max = 2;
  config.process.lease = std::chrono::hours(1);
  Harness h(config);
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  const auto first = h.sent<messages::TrainTask>(b);
  h.finish_task(a);
  h.forget();
  h.advance(config.settings.cohort.deadline);
  EXPECT_EQ(h.coordinator.phase(), Phase::gathering);
  EXPECT_EQ(h.sent<messages::Cancel>(b).size(), 1U);
  EXPECT_TRUE(h.sent<messages::Cancel>(a).empty())
      << "a counted client keeps its update for the next attempt";
  h.advance(seconds(2));
  ASSERT_EQ(h.coordinator.phase(), Phase::in_round);
  const auto second = h.sent<messages::TrainTask>(b);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].task, first[0].task);
  EXPECT_EQ(second[0].seed, first[0].seed);
  EXPECT_EQ(h.coordinator.progress(h.now).attempt, 2U);
  h.advance(config.settings.cohort.deadline);
  ASSERT_EQ(h.finished.size(), 1U);
  EXPECT_EQ(h.finished[0].why, Finish::Why::gave_up);
  EXPECT_NE(h.finished[0].text.find("came to nothing in 2 attempts"), std::string::npos)
      << h.finished[0].text;
  EXPECT_TRUE(h.committed.empty());
}

TEST(InRound, AFailedRoundReportsWhyAClientDeclined) {
  auto config = small_config();
  config.settings.cohort.attempts_max = 1;
  Harness h(config);
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  const messages::Report unfit{{ReasonCode::output_unfit, {}}, {}};
  h.say(a, messages::Decline{h.task_of(a), unfit});
  h.say(b, messages::Decline{h.task_of(b), unfit});
  ASSERT_EQ(h.finished.size(), 1U);
  EXPECT_NE(h.finished[0].text.find("a says: what the model returns does not fit its targets"),
            std::string::npos)
      << h.finished[0].text;
}

TEST(InRound, TheRecordHasTheOutcomeOfEachClient) {
  auto config = small_config();
  config.settings.cohort.clients_min = 3;
  config.settings.cohort.quorum = 0.3;
  Harness h(config);
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  const Peer c = h.connect("c");
  h.finish_task(a);
  h.say(b, messages::Decline{h.task_of(b), {{ReasonCode::nothing_new, {}}, {}}});
  auto offer = h.offer_of(c);
  offer.bytes = 4;
  EXPECT_EQ(h.say(c, offer), Verdict::rejected);
  ASSERT_EQ(h.committed.size(), 1U);
  const auto& p = h.committed[0].participations;
  ASSERT_EQ(p.size(), 3U);
  EXPECT_EQ(p[0].outcome, Outcome::counted);
  EXPECT_EQ(p[1].outcome, Outcome::declined);
  EXPECT_EQ(p[1].reason, "it has nothing new to train on");
  EXPECT_EQ(p[2].outcome, Outcome::rejected);
}

TEST(InRound, AMissedTaskIsRepeatedWhenTheClientReportsThatItIsIdle) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  (void)h.connect("b");
  h.forget();
  h.say(a, messages::Pong{TaskId()});
  EXPECT_TRUE(h.sent<messages::TrainTask>(a).empty()) << "it may still be on its way";
  h.advance(seconds(6));
  h.say(a, messages::Pong{h.task_of(a)});
  EXPECT_TRUE(h.sent<messages::TrainTask>(a).empty()) << "it is at work";
  h.say(a, messages::Pong{TaskId()});
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 1U);
}

TEST(InRound, AMemberThatReconnectsGetsItsTaskAgain) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  h.apply(PeerGone{a.peer});
  h.advance(h.config.process.absence + seconds(1));
  h.say(b, messages::Pong{});
  EXPECT_EQ(h.coordinator.phase(), Phase::in_round) << "the quorum may still be reached";
  const Peer again = h.connect("a");
  EXPECT_EQ(h.sent<messages::TrainTask>(again).size(), 1U);
  h.finish_task(b);
  h.finish_task(again);
  EXPECT_EQ(h.coordinator.phase(), Phase::committing);
}

TEST(InRound, AStopSendsByeAndALaterHelloIsNotAnsweredWithFinished) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  (void)h.connect("b");
  EXPECT_EQ(h.apply(StopAsked{}), Verdict::accepted);
  EXPECT_EQ(h.apply(StopAsked{}), Verdict::discarded);
  EXPECT_EQ(h.sent<messages::Bye>(a).size(), 1U);
  ASSERT_EQ(h.finished.size(), 1U);
  EXPECT_EQ(h.finished[0].why, Finish::Why::stopped);
  // Finished would dismiss the client for good, although rounds are left.
  const Peer late = h.connect("c");
  EXPECT_TRUE(h.sent<messages::Finished>(late).empty());
  EXPECT_EQ(h.sent<messages::Bye>(late).size(), 1U);
}

TEST(Committing, AStopWaitsForTheCommitAndEndsTheRunAsStopped) {
  Harness h(small_config(), RoundId(1));
  const Peer a = h.connect("a"), b = h.connect("b");
  h.finish_task(a);
  h.finish_task(b);
  EXPECT_EQ(h.apply(StopAsked{}), Verdict::accepted);
  EXPECT_TRUE(h.finished.empty());
  h.commit();
  ASSERT_EQ(h.finished.size(), 1U);
  EXPECT_EQ(h.finished[0].why, Finish::Why::stopped);
  EXPECT_EQ(h.coordinator.last_committed(), RoundId(2));
  EXPECT_EQ(h.sent<messages::Bye>(a).size(), 1U);
}

TEST(Committing, AStopDuringTheCommitOfTheLastRoundIsTheEndOfAllRounds) {
  for (const auto after : {AfterLastRound::stop, AfterLastRound::stay}) {
    auto config = small_config();
    config.settings.after_last_round = after;
    Harness h(config, RoundId(config.settings.rounds - 1));
    const Peer a = h.connect("a"), b = h.connect("b");
    h.finish_task(a);
    h.finish_task(b);
    EXPECT_EQ(h.apply(StopAsked{}), Verdict::accepted);
    h.commit();
    const bool ends = after == AfterLastRound::stop;
    ASSERT_EQ(h.finished.size(), 1U);
    EXPECT_EQ(h.finished[0].why, ends ? Finish::Why::all_rounds : Finish::Why::stopped);
    EXPECT_EQ(h.sent<messages::Finished>(a).size(), ends ? 1U : 0U) << "else the client comes back";
  }
}

TEST(InRound, AfterTheLastRoundItMayStay) {
  auto config = small_config();
  config.settings.after_last_round = AfterLastRound::stay;
  Harness h(config, RoundId(config.settings.rounds));
  const Peer a = h.connect("a");
  (void)h.connect("b");
  EXPECT_EQ(h.coordinator.phase(), Phase::gathering);
  EXPECT_TRUE(h.finished.empty());
  EXPECT_EQ(h.say(a, messages::Ping{}), Verdict::accepted);
}

std::vector<std::string> cohort_of(std::uint64_t seed, std::uint32_t last_round, double fraction,
                                   std::uint32_t size_max) {
  auto config = small_config();
  config.settings.seed = seed;
  config.settings.rounds = 100;
  config.settings.cohort.clients_min = 20;
  config.settings.cohort.fraction = fraction;
  config.settings.cohort.size_max = size_max;
  Harness h(config, RoundId(last_round));
  for (int i = 0; i < 20; ++i) (void)h.connect("client-" + std::to_string(10 + i));
  std::vector<std::string> out;
  for (const auto& member : h.coordinator.progress(h.now).members) out.push_back(member.client);
  return out;
}

TEST(Cohort, FollowsFromTheSeedAndTheRound) {
  const auto first = cohort_of(1, 0, 0.5, 0);
  EXPECT_EQ(first.size(), 10U);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  EXPECT_EQ(cohort_of(1, 0, 0.5, 0), first);
  EXPECT_NE(cohort_of(2, 0, 0.5, 0), first);
  EXPECT_NE(cohort_of(1, 1, 0.5, 0), first);
}

TEST(Cohort, FractionAndMaximumBothBound) {
  EXPECT_EQ(cohort_of(1, 0, 1.0, 0).size(), 20U);
  EXPECT_EQ(cohort_of(1, 0, 0.35, 0).size(), 7U) << "rounded up, but 0.35 * 20 is seven";
  EXPECT_EQ(cohort_of(1, 0, 0.01, 0).size(), 1U);
  EXPECT_EQ(cohort_of(1, 0, 1.0, 6).size(), 6U);
  EXPECT_EQ(cohort_of(1, 0, 0.2, 6).size(), 4U);
}

// Three of the ten selected clients decline: the next cohort has spares, and its quorum is still that of ten.
TEST(Cohort, HasSparesForTheClientsThatDroppedOutBefore) {
  for (const bool over_select : {false, true}) {
    auto config = small_config();
    config.settings.rounds = 100;
    config.settings.cohort.clients_min = 10;
    config.settings.cohort.clients_expected = 20;
    config.settings.cohort.size_max = 10;
    config.settings.cohort.quorum = 0.5;
    config.settings.cohort.over_select = over_select;
    Harness h(config);
    std::map<std::string, Peer> peers;
    for (int i = 10; i < 30; ++i)
      peers.emplace("client-" + std::to_string(i), h.connect("client-" + std::to_string(i)));
    const auto cohort = [&] {
      std::vector<std::string> out;
      for (const auto& member : h.coordinator.progress(h.now).members) out.push_back(member.client);
      return out;
    };
    const std::vector<std::string> first = cohort();
    EXPECT_EQ(first.size(), 10U) << "nothing is known yet";
    const messages::Report broken{{ReasonCode::data_damaged, {}}, {}};
    for (std::size_t i = 0; i < first.size(); ++i) {
      const Peer& peer = peers.at(first[i]);
      if (i < 3) h.say(peer, messages::Decline{h.task_of(peer), broken});
      else h.finish_task(peer);
    }
    EXPECT_EQ(h.commit(), Verdict::accepted);
    const std::vector<std::string> second = cohort();
    EXPECT_EQ(second.size(), over_select ? 15U : 10U) << "10 / 0.7";
    // Five of the wanted ten are enough.
    for (std::size_t i = 0; i < second.size(); ++i) {
      const Peer& peer = peers.at(second[i]);
      if (i < 5) h.finish_task(peer);
      else h.say(peer, messages::Decline{h.task_of(peer), broken});
    }
    EXPECT_EQ(h.coordinator.phase(), Phase::committing);
  }
}

TEST(Cohort, EachClientGetsItsTurn) {
  std::set<std::string> seen;
  for (std::uint32_t round = 0; round < 60; ++round)
    for (const auto& client : cohort_of(1, round, 0.2, 0)) seen.insert(client);
  EXPECT_EQ(seen.size(), 20U);
}

TEST(TaskIds, DifferByRunWorkAndClientOnly) {
  const Work work{RoundId(1)};
  const TaskId task = make_task_id(1, "run", work, "a");
  EXPECT_EQ(make_task_id(1, "run", work, "a"), task);
  EXPECT_NE(make_task_id(1, "run", work, "b"), task);
  EXPECT_NE(make_task_id(1, "run", {RoundId(2)}, "a"), task);
  EXPECT_NE(make_task_id(1, "run", {RoundId(1), 1}, "a"), task);
  EXPECT_NE(make_task_id(1, "run-2", work, "a"), task);
  EXPECT_NE(round_seed(1, work), round_seed(1, {RoundId(1), 1}));
}

}  // namespace
}  // namespace hansa::server::testing
