// The exchanges of a secure round: which clients the coordinator waits for, and which drop out of which exchange.
#include "tests/coordinator/secure_rounds.h"

namespace hansa::server::testing {
namespace {

using AdversarySecureReports = SecureRounds;

TEST_F(AdversarySecureReports, TheSenderOfSharesThatCannotBeDecryptedIsNamedByItsPosition) {
  begin();
  up_to_masked();
  const auto decline = [&](const char* name, std::uint64_t member) {
    const messages::Report report{{ReasonCode::shares_invalid, {{Quantity::member, member}}}, {}};
    return h->say(of(name).peer, messages::Decline{of(name).task, report});
  };
  const auto logged = [&](const std::string& text) {
    return std::ranges::any_of(h->all<Log>(),
                               [&](const Log& log) { return log.text.find(text) != std::string::npos; });
  };
  EXPECT_EQ(decline("b", 0), Verdict::accepted);
  EXPECT_TRUE(logged("cannot be decrypted; if this repeats, remove that client (it is a)"));
  EXPECT_EQ(decline("c", std::uint64_t{1} << 63), Verdict::accepted);
  EXPECT_TRUE(logged("c declined: client at position 9223372036854775808"));
}

TEST_F(SecureRounds, ARoundGoesThroughItsExchangesWithoutWaiting) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  EXPECT_EQ(h->coordinator.phase(), Phase::unmasking);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(answer(name), Verdict::accepted);
  }
  // t of 4 is 3: enough.
  const CommitRound* commit = commit_effect();
  ASSERT_NE(commit, nullptr);
  ASSERT_TRUE(commit->opening);
  EXPECT_EQ(commit->opening->survivors.count(), 4U);
  EXPECT_EQ(commit->opening->terms.size(), 4U);
  EXPECT_EQ(h->coordinator.phase(), Phase::committing);
  for (const auto& p : commit->record.participations) EXPECT_EQ(p.examples, 0U);
  EXPECT_EQ(answer("d"), Verdict::discarded) << "nobody asks any more";
  h->forget();
  ASSERT_EQ(h->commit(), Verdict::accepted);
  for (const char* name : names)
    EXPECT_EQ(h->sent<messages::Cancel>(of(name).peer).size(), 1U) << name << " may wipe its secrets";
}

TEST_F(SecureRounds, AClientThatIsLateInAnExchangeDropsOut) {
  begin();
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(advert(name), Verdict::accepted);
  EXPECT_TRUE(h->all<SendHeld>().empty()) << "d is connected and may still speak";
  h->advance(seconds(10));
  EXPECT_EQ(h->all<SendHeld>().size(), 3U);
  EXPECT_EQ(h->sent<messages::Cancel>(of("d").peer).size(), 1U);
  EXPECT_EQ(advert("d"), Verdict::discarded) << "too late, for ever";
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(shares(name), Verdict::accepted);
  for (const char* name : {"a", "b", "c"}) take_delivery(name);
}

TEST_F(SecureRounds, AMaskedVectorAfterTheSurvivorsAreFixedIsDiscarded) {
  begin();
  up_to_masked();
  for (const char* name : {"a", "b", "c"}) send_masked(name);
  h->advance(h->config.settings.cohort.deadline);
  ASSERT_EQ(h->coordinator.phase(), Phase::unmasking);
  h->forget();
  EXPECT_EQ(h->say(of("d").peer, offer("d")), Verdict::discarded);
  ASSERT_EQ(h->sent<messages::Receipt>(of("d").peer).size(), 1U);
  EXPECT_EQ(h->sent<messages::Receipt>(of("d").peer)[0].verdict, messages::Verdict::late);
  EXPECT_TRUE(h->all<OpenUpdate>().empty());
}

TEST_F(SecureRounds, AMaskedVectorOfAnotherAttemptIsIgnored) {
  begin();
  up_to_masked();
  auto stale = offer("a");
  stale.setup.bytes[0] ^= 1;
  EXPECT_EQ(h->say(of("a").peer, stale), Verdict::discarded);
  EXPECT_TRUE(h->sent<messages::Grant>(of("a").peer).empty());
  EXPECT_EQ(h->say(of("a").peer, offer("a")), Verdict::accepted);
}

TEST_F(SecureRounds, KeysThatAreNotTheClientsDropOnlyThatClient) {
  begin();
  EXPECT_EQ(h->say(of("d").peer, messages::KeyAdvert{of("d").task, of("d").setup, of("a").sum->advert()}),
            Verdict::rejected);
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(advert(name), Verdict::accepted);
  EXPECT_EQ(h->all<SendHeld>().size(), 3U) << "the others go on at once";
}

TEST_F(SecureRounds, AMaskedVectorBeforeTheSharesIsRefused) {
  begin();
  EXPECT_EQ(h->say(of("a").peer, offer("a")), Verdict::rejected);
  EXPECT_TRUE(h->all<OpenUpdate>().empty());
}

TEST_F(SecureRounds, ARestartedClientHasLostItsKeys) {
  begin();
  for (const char* name : names) ASSERT_EQ(advert(name), Verdict::accepted);
  h->forget();
  Peer fresh = h->peer("d");
  h->apply(PeerGone{of("d").peer.peer});
  h->advance(seconds(6));
  ASSERT_EQ(h->hello(fresh), Verdict::accepted);
  EXPECT_TRUE(h->sent<messages::TrainTask>(fresh).empty()) << "not in this attempt";
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
}

TEST_F(SecureRounds, AReconnectedClientIsSentAgainWhatItMayHaveMissed) {
  begin();
  for (const char* name : names) ASSERT_EQ(advert(name), Verdict::accepted);
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(shares(name), Verdict::accepted);
  h->forget();
  ASSERT_EQ(h->hello(of("d").peer), Verdict::accepted);
  EXPECT_EQ(h->sent<messages::TrainTask>(of("d").peer).size(), 1U);
  EXPECT_EQ(h->all<SendHeld>().size(), 1U) << "the roster";
  ASSERT_EQ(shares("d"), Verdict::accepted);
  for (const char* name : names) take_delivery(name);
  for (const char* name : names) send_masked(name);
  ASSERT_EQ(h->coordinator.phase(), Phase::unmasking);
  h->forget();
  ASSERT_EQ(h->hello(of("a").peer), Verdict::accepted);
  EXPECT_EQ(h->sent<messages::UnmaskRequest>(of("a").peer).size(), 1U);
}

TEST_F(SecureRounds, TooFewAnswersAbandonTheAttemptAndTheNextHasAnotherSetup) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  EXPECT_EQ(answer("a"), Verdict::accepted);
  const Digest first = of("a").setup;
  h->forget();
  h->advance(seconds(10));
  EXPECT_EQ(commit_effect(), nullptr);
  h->advance(seconds(2));
  ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
  take_task("a");
  EXPECT_NE(of("a").setup, first);
  EXPECT_EQ(h->coordinator.progress(h->now).attempt, 2U);
}

TEST_F(SecureRounds, AWrongAnswerIsNamedAndTheOthersSuffice) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  EXPECT_EQ(h->say(of("d").peer, messages::UnmaskShares{of("d").task, of("d").setup, {{}, {}}}),
            Verdict::rejected);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(answer(name), Verdict::accepted);
  EXPECT_NE(commit_effect(), nullptr);
}

TEST_F(SecureRounds, AnActiveAggregatorAsksForSignaturesFirst) {
  begin(sa::ThreatModel::active);
  up_to_masked();
  for (const char* name : names) send_masked(name);
  ASSERT_EQ(h->coordinator.phase(), Phase::unmasking);
  for (const char* name : names) {
    EXPECT_TRUE(h->sent<messages::UnmaskRequest>(of(name).peer).empty());
    Device& d = of(name);
    const auto set = h->sent<messages::SurvivorSet>(d.peer);
    ASSERT_EQ(set.size(), 1U);
    const auto signature = d.sum->on_survivors(*sa::Subset::of(4, set[0].survivors));
    ASSERT_TRUE(signature);
    EXPECT_EQ(h->say(d.peer, messages::SurvivorSignature{d.task, d.setup, *signature}), Verdict::accepted);
  }
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(answer(name), Verdict::accepted);
  EXPECT_NE(commit_effect(), nullptr);
}

}  // namespace
}  // namespace hansa::server::testing
