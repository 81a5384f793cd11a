// Sums that are refused, or that clients refuse to open: who is blamed, what is trained again, what counts.
#include "tests/coordinator/secure_rounds.h"

namespace hansa::server::testing {
namespace {

using AdversarySecureRounds = SecureRounds;

TEST_F(SecureRounds, ARoundWithAnInvalidSumIsTriedAgain) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  for (const char* name : {"a", "b", "c"}) (void)answer(name);
  ASSERT_EQ(h->coordinator.phase(), Phase::committing);
  EXPECT_EQ(h->apply(SumRefused{RoundId(1), "it is no sum of updates"}), Verdict::accepted);
  const auto abandoned = h->all<AttemptAbandoned>();
  ASSERT_EQ(abandoned.size(), 1U);
  EXPECT_EQ(abandoned[0].cause, AbandonCause::refused_sum);
  EXPECT_EQ(abandoned[0].reason, "it is no sum of updates");
  h->advance(seconds(2));
  EXPECT_EQ(h->coordinator.progress(h->now).attempt, 2U);
}

// A client that makes sums fail must not make the others' data count as trained.
TEST_F(AdversarySecureRounds, AnUpdateCountsOnlyWhenItsSumIsCommitted) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  const auto verdicts = [&](const char* name) {
    std::vector<messages::Verdict> out;
    for (const auto& receipt : h->sent<messages::Receipt>(of(name).peer)) out.push_back(receipt.verdict);
    return out;
  };
  for (const char* name : names) EXPECT_EQ(verdicts(name), std::vector{messages::Verdict::summed}) << name;
  h->apply(PeerGone{of("d").peer.peer});
  for (const char* name : {"a", "b", "c"}) (void)answer(name);
  ASSERT_EQ(h->coordinator.phase(), Phase::committing);
  h->advance(seconds(6));  // d's session ends
  h->forget();
  ASSERT_EQ(h->commit(), Verdict::accepted);
  for (const char* name : {"a", "b", "c"})
    EXPECT_EQ(verdicts(name), std::vector{messages::Verdict::counted}) << name;
  h->forget();
  ASSERT_EQ(h->hello(of("d").peer), Verdict::accepted);
  EXPECT_EQ(verdicts("d"), std::vector{messages::Verdict::counted}) << "it was away";
}

// Otherwise the difference of the next sum from the refused one could be a single update.
TEST_F(AdversarySecureRounds, RefusingToUnmaskAgainAndAgainFillsNoLog) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  ASSERT_EQ(h->coordinator.phase(), Phase::unmasking);
  h->forget();
  const messages::Report report{{ReasonCode::internal, {}}, std::string(1'024, 'x')};
  for (int i = 0; i < 10'000; ++i) (void)h->say(of("d").peer, messages::Decline{of("d").task, report});
  EXPECT_LT(h->all<Log>().size(), 10U);
  EXPECT_FALSE(h->all<Disconnect>().empty());
}

// A new run on the model of an earlier one: each client has opened a sum of the same update before.
TEST_F(SecureRounds, RefusalsThatMakeOpeningImpossibleEndTheAttemptAtOnceWithoutBlame) {
  begin(sa::ThreatModel::honest_but_curious, {}, 3);
  const auto first = h->sent<messages::TrainTask>(of("a").peer).back();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  const messages::Report repeated{{ReasonCode::sum_repeated, {}}, ""};
  (void)answer("d");
  h->forget();
  for (const char* name : {"a", "b", "c"})
    ASSERT_EQ(h->say(of(name).peer, messages::Decline{of(name).task, repeated}), Verdict::accepted);
  EXPECT_NE(h->coordinator.phase(), Phase::unmasking) << "without waiting for the end of the phase";
  for (const auto& log : h->all<Log>()) EXPECT_EQ(log.text.find("at fault"), std::string::npos) << log.text;
  h->forget();
  h->advance(seconds(2));
  const auto second = h->sent<messages::TrainTask>(of("a").peer);
  ASSERT_FALSE(second.empty());
  EXPECT_NE(second.back().seed, first.seed) << "so that the updates are others";
}

// A client that is disconnected for a moment is not blamed because others end the attempt.
TEST_F(AdversarySecureRounds, RefusingClientsDoNotGetADisconnectedOneBlamed) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  (void)answer("d");
  h->apply(PeerGone{of("c").peer.peer});
  h->forget();
  for (const char* name : {"a", "b"})
    (void)h->say(of(name).peer, messages::Decline{of(name).task, {{ReasonCode::internal, {}}, ""}});
  std::string logged;
  for (const auto& log : h->all<Log>()) logged += log.text + "\n";
  EXPECT_EQ(logged.find("c is at fault"), std::string::npos) << logged;
}

TEST_F(AdversarySecureRounds, AFewClientsThatClaimARepeatedSumAreAtFault) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  (void)answer("c");
  (void)answer("d");
  h->forget();
  const messages::Report repeated{{ReasonCode::sum_repeated, {}}, ""};
  for (const char* name : {"a", "b"})
    ASSERT_EQ(h->say(of(name).peer, messages::Decline{of(name).task, repeated}), Verdict::accepted);
  EXPECT_NE(h->coordinator.phase(), Phase::unmasking);
  std::string logged;
  for (const auto& log : h->all<Log>()) logged += log.text + "\n";
  EXPECT_NE(logged.find("a is at fault"), std::string::npos) << logged;
  EXPECT_NE(logged.find("b is at fault"), std::string::npos) << logged;
}

TEST_F(AdversarySecureRounds, AfterAnOpenedSumTheClientsTrainAgain) {
  begin();
  const auto first = h->sent<messages::TrainTask>(of("a").peer).back();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  for (const char* name : {"a", "b", "c"}) (void)answer(name);
  ASSERT_EQ(h->apply(SumRefused{RoundId(1), "it is no sum of updates"}), Verdict::accepted);
  h->forget();
  h->advance(seconds(2));
  const auto second = h->sent<messages::TrainTask>(of("a").peer);
  ASSERT_FALSE(second.empty());
  EXPECT_NE(second.back().task, first.task);
  EXPECT_NE(second.back().seed, first.seed);
  EXPECT_NE(second.back().secure->seed, first.secure->seed);
}

TEST_F(AdversarySecureRounds, AnAttemptThatFailedBeforeItWasOpenedKeepsTheTrainedUpdates) {
  begin();
  const auto first = h->sent<messages::TrainTask>(of("a").peer).back();
  h->forget();
  h->advance(seconds(15));  // nobody sends keys
  const auto second = h->sent<messages::TrainTask>(of("a").peer);
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(second.back().task, first.task);
  EXPECT_EQ(second.back().seed, first.seed);
  EXPECT_NE(second.back().secure->nonce, first.secure->nonce);
}

// The bounds of the total weight follow the reports, and what the method allows.
TEST_F(AdversarySecureRounds, TheWeightOfASumIsBoundedByWhatClientsCanHaveTrainedOn) {
  for (const std::uint32_t steps_max : {0U, 2U}) {
    devices.clear();
    begin(sa::ThreatModel::honest_but_curious, {.batch_size = 4, .steps_max = steps_max});
    up_to_masked();
    for (const char* name : names) send_masked(name);
    for (const char* name : {"a", "b", "c"}) (void)answer(name);
    ASSERT_NE(commit_effect(), nullptr);
    const SumBounds& bounds = commit_effect()->opening->bounds;
    // Each client reports 100 examples; with two steps of four it trains on eight of them.
    const double honest = 4 * (steps_max == 0 ? 100.0 : 8.0);
    EXPECT_GE(honest, bounds.weight_min);
    EXPECT_LE(honest, bounds.weight_max);
    EXPECT_GE(bounds.weight_min, 4);
    EXPECT_LE(bounds.weight_max, 4 * honest + 4 * 1'024);
  }
}

}  // namespace
}  // namespace hansa::server::testing
