// Secure sums in the coordinator: which clients it waits for, which clients drop out of which exchange, and what it
// refuses. The clients are real machines; their vectors do not matter here.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/client.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

namespace sa = secure_aggregation;
using std::chrono::seconds;

struct Device {
  Peer peer;
  sa::SigningKey key = *sa::SigningKey::generate();
  std::optional<sa::ClientSum> sum;
  TaskId task;
  Digest setup;
};

class SecureRounds : public ::testing::Test {
 protected:
  static constexpr const char* names[] = {"a", "b", "c", "d"};
  sa::SigningKey root = *sa::SigningKey::generate();
  std::map<std::string, Device> devices;
  std::optional<Harness> h;

  void begin(sa::ThreatModel threat_model = sa::ThreatModel::honest_but_curious,
             const TrainingConfig& training = {}, std::uint32_t clients_min = 4) {
    auto config = small_config();
    config.settings.method = sgd_method(training);
    config.settings.admitted = {"a", "b", "c", "d"};
    config.settings.cohort.clients_min = clients_min;
    config.settings.cohort.clients_expected = 4;
    config.settings.cohort.quorum = 0.5;
    config.settings.cohort.deadline = seconds(20);  // before any lease ends
    config.settings.secure_sums.emplace();
    config.settings.secure_sums->assumptions.threat_model = threat_model;
    config.settings.secure_sums->phase_max = seconds(10);
    config.settings.secure_sums->honest_min = sa::honest_min_least;  // so that one of the four may drop out
    const Harness::Certificates certificates =
        [this](const std::string& name) -> std::optional<sa::Certificate> {
      if (!devices.contains(name)) return std::nullopt;
      return *sa::certify(root, "harbour", name, devices.at(name).key.public_key(), sa::holds_always);
    };
    for (const char* name : names) devices.emplace(name, Device{});
    h.emplace(config, RoundId(0), certificates);
    for (const char* name : names) devices.at(name).peer = h->connect(name, 100);
    ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
    for (const char* name : names) take_task(name);
  }
  Device& of(const std::string& name) { return devices.at(name); }
  void take_task(const std::string& name) {
    Device& d = of(name);
    const auto tasks = h->sent<messages::TrainTask>(d.peer);
    ASSERT_FALSE(tasks.empty()) << name;
    ASSERT_TRUE(tasks.back().secure);
    auto setup = messages::sum_setup("harbour", tasks.back());
    d.task = tasks.back().task;
    d.setup = setup.digest();
    sa::Policy policy;
    policy.threat_model = setup.assumptions.threat_model;
    policy.honest_min = sa::honest_min_least;
    auto sum = sa::ClientSum::begin(std::move(setup), policy, {name, &d.key, root.public_key()});
    ASSERT_TRUE(sum) << sum.error().text();
    d.sum.emplace(std::move(*sum));
  }
  Verdict advert(const std::string& name) {
    return h->say(of(name).peer, messages::KeyAdvert{of(name).task, of(name).setup, of(name).sum->advert()});
  }
  Verdict shares(const std::string& name) {
    Device& d = of(name);
    for (const auto& held : h->all<SendHeld>()) {
      if (held.peer != d.peer.peer) continue;
      auto made = d.sum->on_roster(*held.bulk, UtcSeconds{});
      EXPECT_TRUE(made) << made.error().text();
      return h->say(d.peer, messages::EncryptedShares{d.task, d.setup, std::move(*made)});
    }
    ADD_FAILURE() << name << " got no roster";
    return Verdict::discarded;
  }
  void take_delivery(const std::string& name) {
    Device& d = of(name);
    const auto got = h->sent<messages::ShareDelivery>(d.peer);
    ASSERT_EQ(got.size(), 1U) << name;
    const auto done =
        d.sum->on_delivery({*sa::Subset::of(d.sum->clients() - 1, got[0].sharers), got[0].shares});
    ASSERT_TRUE(done) << done.error().text();
  }
  messages::Offer offer(const std::string& name) {
    messages::Offer out;
    out.task = of(name).task;
    out.setup = of(name).setup;
    out.update = checksum(std::string_view(name));
    const auto setup = of(name).sum->setup();
    out.bytes = sa::packed_bytes(sa::vector_elements(setup), setup.quantisation.ring_bits);
    return out;
  }
  void send_masked(const std::string& name) {
    ASSERT_EQ(h->say(of(name).peer, offer(name)), Verdict::accepted);
    EXPECT_EQ(h->upload(of(name).peer), offer(name).bytes);
    const auto opened = h->all<OpenUpdate>();
    ASSERT_FALSE(opened.empty());
    EXPECT_EQ(opened.back().ticket.client, name);
    EXPECT_EQ(opened.back().ticket.weight, 0U) << "nobody sees the weight of a masked update";
    ASSERT_FALSE(h->all<CountUpdate>().empty());
    ASSERT_EQ(h->check(name), Verdict::accepted);
  }
  Verdict answer(const std::string& name) {
    Device& d = of(name);
    const auto asked = h->sent<messages::UnmaskRequest>(d.peer);
    if (asked.empty()) {
      ADD_FAILURE() << name << " was not asked";
      return Verdict::discarded;
    }
    auto told =
        d.sum->on_unmask({*sa::Subset::of(d.sum->clients(), asked[0].survivors), asked[0].signatures});
    EXPECT_TRUE(told) << told.error().text();
    messages::UnmaskShares message{d.task, d.setup, {}};
    for (const Secret32& share : told->shares)
      std::ranges::copy(share.bytes(), message.shares.emplace_back().begin());
    return h->say(d.peer, message);
  }
  void up_to_masked(std::initializer_list<const char*> who = {"a", "b", "c", "d"}) {
    for (const char* name : who) ASSERT_EQ(advert(name), Verdict::accepted);
    for (const char* name : who) ASSERT_EQ(shares(name), Verdict::accepted);
    for (const char* name : who) take_delivery(name);
  }
  // Of the last CommitRound: it is move-only.
  const CommitRound* commit_effect() const {
    for (const auto& effect : h->effects)
      if (const auto* commit = std::get_if<CommitRound>(&effect)) return commit;
    return nullptr;
  }
};

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

TEST_F(SecureRounds, ARoundWithAnInvalidSumIsTriedAgain) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  for (const char* name : {"a", "b", "c"}) (void)answer(name);
  ASSERT_EQ(h->coordinator.phase(), Phase::committing);
  EXPECT_EQ(h->apply(SumRefused{RoundId(1), "it is no sum of updates"}), Verdict::accepted);
  h->advance(seconds(2));
  EXPECT_EQ(h->coordinator.progress(h->now).attempt, 2U);
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

TEST_F(SecureRounds, WithoutACertificateAClientIsNotSelected) {
  begin();
  Harness other(h->config, RoundId(0), h->certificates);
  devices.erase("d");
  for (const char* name : {"a", "b", "c"}) (void)other.connect(name);
  const Peer d = other.connect("d");
  EXPECT_TRUE(other.refused(d, messages::RefuseReason::federation)) << "the device reports why";
  EXPECT_EQ(other.coordinator.phase(), Phase::gathering);
  const auto missing = other.coordinator.progress(other.now).missing;
  EXPECT_EQ(missing, std::vector<std::string>{"d (no certificate)"});
}

TEST_F(SecureRounds, ACertificateThatWasRevokedDoesNotCountAtTheNextHello) {
  begin();
  Harness other(h->config, RoundId(0), h->certificates);
  const Peer before = other.connect("a");
  other.say(before, messages::Bye{"restart"});
  for (const char* name : {"b", "c", "d"}) (void)other.connect(name);
  devices.erase("a");
  const Peer again = other.connect("a");
  EXPECT_EQ(other.coordinator.phase(), Phase::gathering);
  EXPECT_TRUE(other.sent<messages::TrainTask>(again).empty());
  EXPECT_EQ(other.coordinator.progress(other.now).missing, std::vector<std::string>{"a (no certificate)"});
}

// --- Attacks ---

using AdversarySecureRounds = SecureRounds;

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
  h->forget();
  ASSERT_EQ(h->hello(of("d").peer), Verdict::accepted);
  EXPECT_TRUE(verdicts("d").empty()) << "once is enough";
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
