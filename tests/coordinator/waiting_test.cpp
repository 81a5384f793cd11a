// What the aggregator does when clients cannot train: it continues without them, or waits and says for what.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using messages::DataReport;
using messages::Decline;
using std::chrono::hours;
using std::chrono::seconds;

const messages::Report no_memory{{ReasonCode::memory_short, {}}, {}};
const messages::Report nothing_new{{ReasonCode::nothing_new, {}}, {}};

// Three clients, of which one may be missing; no session ends by itself.
CoordinatorConfig three_clients() {
  CoordinatorConfig config = small_config();
  config.settings.cohort.clients_expected = 3;
  config.settings.cohort.quorum = 0.8;
  config.settings.rounds = 100'000;
  config.process.lease = hours(10'000);
  return config;
}

struct Waiting : ::testing::Test {
  void connect(const CoordinatorConfig& config) {
    h.emplace(config);
    for (const char* name : {"a", "b", "c"}) peers.push_back(h->connect(name));
    ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
  }
  Verdict decline(const Peer& peer, const messages::Report& report) {
    return h->say(peer, Decline{h->task_of(peer), report});
  }
  [[nodiscard]] std::vector<std::string> cohort() const {
    std::vector<std::string> out;
    for (const auto& member : h->coordinator.progress(h->now).members) out.push_back(member.client);
    return out;
  }
  [[nodiscard]] std::size_t logged(const std::string& text) const {
    const auto logs = h->all<Log>();
    return static_cast<std::size_t>(std::ranges::count_if(
        logs, [&](const Log& log) { return log.text.find(text) != std::string::npos; }));
  }
  void finish_round(std::initializer_list<int> who) {
    for (const int i : who) h->finish_task(peers[static_cast<std::size_t>(i)]);
    ASSERT_EQ(h->coordinator.phase(), Phase::committing);
    ASSERT_EQ(h->commit(), Verdict::accepted);
  }
  std::optional<Harness> h;
  std::vector<Peer> peers;
};

using Names = std::vector<std::string>;

TEST_F(Waiting, ThreeClientsGoOnWithoutOneThatFailsItsTasks) {
  connect(three_clients());
  EXPECT_EQ(decline(peers[2], no_memory), Verdict::accepted);
  EXPECT_EQ(logged("c declined: "), 1U);
  EXPECT_EQ(logged("it is set aside for 2.0 s, or until its data report changes"), 1U);
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round) << "two of three are a quorum";
  finish_round({0, 1});
  EXPECT_EQ(cohort(), (Names{"a", "b"})) << "it is not asked in the next round";
  h->advance(seconds(3));
  finish_round({0, 1});
  EXPECT_EQ(cohort(), (Names{"a", "b", "c"})) << "it is asked again";
  finish_round({0, 1, 2});
  EXPECT_EQ(logged("c takes part in rounds again"), 1U);
}

TEST_F(Waiting, AChangedDataReportOrANewProcessIsAskedAtOnce) {
  connect(three_clients());
  for (int i = 0; i < 3; ++i) {
    decline(peers[2], no_memory);
    if (i == 0) h->say(peers[2], DataReport{10, 0});  // the same
    if (i == 1) h->say(peers[2], DataReport{11, 0});
    if (i == 2) {
      h->apply(PeerGone{peers[2].peer});
      peers[2] = h->connect("c", 11);
    }
    finish_round({0, 1});
    EXPECT_EQ(cohort(), i == 0 ? (Names{"a", "b"}) : (Names{"a", "b", "c"})) << i;
    if (i > 0) continue;
    h->advance(seconds(3));
    finish_round({0, 1});
  }
}

// All that are needed fail: the aggregator neither ends nor asks in a loop, and its report has the true cause.
TEST_F(Waiting, WithTooFewLeftItWaitsForEverAndNamesTheCause) {
  CoordinatorConfig config = three_clients();
  config.settings.cohort.clients_min = 3;
  connect(config);
  std::size_t attempts = 0;
  for (int s = 0; s < 24 * 3'600; ++s) {
    if (h->coordinator.phase() == Phase::in_round) {
      ++attempts;
      decline(peers[2], no_memory);
      decline(peers[1], no_memory);
    }
    h->advance(seconds(1));
  }
  EXPECT_TRUE(h->finished.empty()) << h->finished[0].text;
  EXPECT_LT(attempts, 50U) << "the pauses grow";
  EXPECT_GE(
      logged("waiting for clients: 1 of the 3 that cohort.clients_min needs can take part; missing: b (") +
          logged("waiting for clients: 2 of the 3 that cohort.clients_min needs can take part; missing: c ("),
      1U);
  EXPECT_LT(logged("waiting for "), 40U);
  EXPECT_EQ(logged("start the missing clients"), 0U) << "nobody is missing";
  EXPECT_GE(logged("; correct what they report"), 1U);
  // Both are corrected.
  for (int i : {1, 2}) h->say(peers[static_cast<std::size_t>(i)], DataReport{20, 0});
  h->advance(seconds(1));
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
  EXPECT_EQ(cohort().size(), 3U);
}

TEST_F(Waiting, WithALimitTheEndHasTheTrueCause) {
  CoordinatorConfig config = three_clients();
  config.settings.cohort.attempts_max = 3;
  config.settings.cohort.wait_max = seconds(120);
  connect(config);
  for (int s = 0; s < 600 && h->finished.empty(); ++s) {
    for (int i : {1, 2})
      if (h->coordinator.phase() == Phase::in_round) decline(peers[static_cast<std::size_t>(i)], no_memory);
    h->advance(seconds(1));
  }
  ASSERT_EQ(h->finished.size(), 1U);
  EXPECT_EQ(h->finished[0].why, Finish::Why::gave_up);
  EXPECT_NE(h->finished[0].text.find(sentence(no_memory)), std::string::npos) << h->finished[0].text;
  EXPECT_EQ(h->finished[0].hint.find("start"), std::string::npos) << h->finished[0].hint;
}

TEST_F(Waiting, ForNewDataIsNormalAndIsReportedOnce) {
  connect(three_clients());
  for (const Peer& peer : peers)
    if (h->coordinator.phase() == Phase::in_round || peer.name == "c") decline(peer, nothing_new);
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  h->advance(seconds(30));
  EXPECT_EQ(logged("waiting for new data: 0 of 3 clients have some, and a round needs 2"), 1U);
  EXPECT_EQ(h->coordinator.progress(h->now).waits,
            "for new data: 0 of 3 clients have some, and a round needs 2");
  EXPECT_EQ(logged("is abandoned"), 0U) << "nothing has failed";
  h->advance(hours(10));
  EXPECT_TRUE(h->finished.empty());
  EXPECT_LT(logged("waiting for "), 20U);
  h->forget();
  h->say(peers[0], DataReport{15, 5});
  h->advance(seconds(1));
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  EXPECT_EQ(h->coordinator.progress(h->now).waits,
            "for new data: 1 of 3 clients has some, and a round needs 2");
  h->say(peers[1], DataReport{15, 5});
  ASSERT_EQ(h->coordinator.phase(), Phase::in_round) << "at once";
  EXPECT_EQ(cohort(), (Names{"a", "b"}));
  // What they trained on is not new any more, whether their reports say so before or after the commit.
  h->finish_task(peers[0]);
  h->say(peers[0], DataReport{15, 0});
  h->finish_task(peers[1]);
  h->commit();
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering) << "no round that all decline";
  h->say(peers[1], DataReport{15, 0});
  h->advance(hours(1));
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  EXPECT_EQ(logged("is abandoned"), 0U);
}

TEST_F(Waiting, ACleanLeaveEndsARoundThatCannotReachItsQuorumAtOnce) {
  CoordinatorConfig config = three_clients();
  config.settings.cohort.quorum = 1;
  connect(config);
  h->say(peers[2], messages::Bye{"switched off"});
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  EXPECT_EQ(logged("0 of the 3 updates that the quorum needs, and too few clients left"), 1U);
  h->advance(seconds(2));
  ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
  EXPECT_EQ(cohort(), (Names{"a", "b"}));
}

TEST_F(Waiting, ACleanLeaveIsNotAwaitedAndTheClientMayComeBackIntoItsRound) {
  connect(three_clients());
  h->say(peers[2], messages::Bye{"switched off"});
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
  h->finish_task(peers[0]);
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
  peers[2] = h->connect("c");
  EXPECT_EQ(h->sent<messages::TrainTask>(peers[2]).size(), 1U);
  h->finish_task(peers[1]);
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round) << "it is awaited again";
  h->say(peers[2], messages::Bye{"switched off"});
  ASSERT_EQ(h->coordinator.phase(), Phase::committing) << "at once";
  EXPECT_EQ(h->committed.back().participations[2].outcome, Outcome::disconnected);
  EXPECT_EQ(h->committed.back().participations[2].reason, "it left");
}

// A second decline of the last attempt, which failed at the first one.
TEST_F(Waiting, ADeclineOfAnAttemptThatHasFailedCountsForTheNext) {
  CoordinatorConfig config = three_clients();
  config.settings.cohort.quorum = 1;
  config.settings.cohort.clients_min = 1;
  connect(config);
  EXPECT_EQ(decline(peers[0], no_memory), Verdict::accepted);
  ASSERT_EQ(h->coordinator.phase(), Phase::gathering);
  EXPECT_EQ(decline(peers[1], no_memory), Verdict::accepted);
  EXPECT_EQ(decline(peers[1], no_memory), Verdict::discarded);
  EXPECT_EQ(h->say(peers[2], Decline{TaskId(99), no_memory}), Verdict::discarded);
  h->advance(std::chrono::milliseconds(1'500));
  ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
  EXPECT_EQ(cohort(), (Names{"c"}));
}

// A client cannot stop the others by declining and changing its report in a loop.
TEST_F(Waiting, DecliningInALoopCostsFewAttempts) {
  CoordinatorConfig config = three_clients();
  config.settings.cohort.quorum = 1;
  connect(config);
  int attempts = 0;
  for (int s = 0; s < 3'600; ++s) {
    if (h->coordinator.phase() == Phase::in_round && cohort().size() == 3) {
      ++attempts;
      decline(peers[2], s % 2 == 0 ? no_memory : nothing_new);
    }
    h->say(peers[2], DataReport{static_cast<std::uint64_t>(10 + s), 1});
    if (h->coordinator.phase() == Phase::in_round && cohort().size() == 2) finish_round({0, 1});
    h->advance(seconds(1));
  }
  EXPECT_LT(attempts, 100);
  EXPECT_GT(h->coordinator.last_committed().value, 3'000U);
}

}  // namespace
}  // namespace hansa::server::testing
