// What a client requires before it sends an update, and what leaves the device.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/aggregator.h"
#include "protocols/secure_aggregation/packing.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

namespace sa = secure_aggregation;

// This client is "a"; the test plays b, c and the aggregator.
class SecureSum : public ::testing::Test {
 protected:
  sa::SigningKey root = *sa::SigningKey::generate();
  std::shared_ptr<const sa::SigningKey> key =
      std::make_shared<const sa::SigningKey>(*sa::SigningKey::generate());
  std::vector<std::unique_ptr<sa::SigningKey>> other_keys;
  std::vector<sa::ClientSum> others;
  std::optional<sa::AggregatorSum> aggregator;

  static sa::Policy of_three() {
    sa::Policy policy;
    policy.honest_min = sa::honest_min_least;
    return policy;
  }
  AgentConfig config(bool required = true) const {
    AgentConfig c = Harness::small_config();
    c.secure_sums = SecureSums{key, root.public_key(), of_three(), required};
    return c;
  }
  static messages::TrainTask secure_task(const Harness& h, std::uint8_t nonce = 1) {
    messages::TrainTask task = h.make_task();
    task.magnitude_max = 64;
    task.secure.emplace();
    task.secure->nonce.bytes[0] = nonce;
    task.secure->clients = 3;
    task.secure->segments = {{100, 1}};
    task.secure->quantisation = {255, sa::ring_bits(3, 255), 1, 10};
    bind_work(task);
    return task;
  }
  static Digest setup_of(const messages::TrainTask& task) {
    return messages::sum_setup("harbour", task).digest();
  }

  // Plays the others, from a's advert to the shares.
  void exchange(Harness& h, const messages::TrainTask& task) {
    const auto setup = messages::sum_setup("harbour", task);
    std::vector<sa::Certificate> certificates{
        *sa::certify(root, "harbour", "a", key->public_key(), sa::holds_always)};
    others.clear();
    for (const char* name : {"b", "c"}) {
      other_keys.push_back(std::make_unique<sa::SigningKey>(*sa::SigningKey::generate()));
      certificates.push_back(
          *sa::certify(root, "harbour", name, other_keys.back()->public_key(), sa::holds_always));
      others.push_back(
          *sa::ClientSum::begin(setup, of_three(), {name, other_keys.back().get(), root.public_key()}));
    }
    aggregator.emplace(*sa::AggregatorSum::begin(setup, certificates, sa::honest_min_least));
    const auto adverts = h.sent<messages::KeyAdvert>();
    ASSERT_FALSE(adverts.empty());
    ASSERT_TRUE(aggregator->on_advert("a", adverts.back().advert));
    ASSERT_TRUE(aggregator->on_advert("b", others[0].advert()));
    ASSERT_TRUE(aggregator->on_advert("c", others[1].advert()));
    ASSERT_TRUE(aggregator->fix_roster());
    hear_roster(h, task, aggregator->encoded_roster());
    const auto shares = h.sent<messages::EncryptedShares>();
    ASSERT_FALSE(shares.empty());
    ASSERT_TRUE(aggregator->on_shares(0, shares.back().shares));
    for (sa::Position i : {1, 2})
      ASSERT_TRUE(
          aggregator->on_shares(i, *others[i - 1].on_roster(aggregator->encoded_roster(), UtcSeconds{})));
    ASSERT_TRUE(aggregator->fix_sharers());
  }
  void hear_roster(Harness& h, const messages::TrainTask& task, const std::vector<std::byte>& roster) {
    const messages::ToClient message = messages::KeyRoster{task.task, setup_of(task)};
    h.apply(Received{h.session, message, roster});
  }
  void deliver(Harness& h, const messages::TrainTask& task) {
    const auto delivery = aggregator->delivery_for(0);
    ASSERT_TRUE(delivery);
    h.receive(messages::ShareDelivery{task.task, setup_of(task), delivery->sharers.bits(), delivery->shares});
  }
  // From the task to the masked update.
  void mask(Harness& h, const messages::TrainTask& task) {
    h.train(task);
    exchange(h, task);
    deliver(h, task);
    h.end_training(task);
    h.apply(UpdateMasked{task.task, setup_of(task), checksum("masked"), 77});
  }
  static const MaskUpdate* asked_to_mask(const Harness& h) {
    for (const auto& effect : h.effects)
      if (const auto* mask = std::get_if<MaskUpdate>(&effect)) return mask;
    return nullptr;
  }
};

TEST_F(SecureSum, ATaskWithoutOneIsDeclinedUnlessAllowed) {
  Harness strict(config()), lenient(config(false));
  for (Harness* h : {&strict, &lenient}) {
    h->go_online();
    h->receive(h->make_task());
  }
  ASSERT_EQ(strict.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(strict.sent<messages::Decline>()[0].report.reason.code, ReasonCode::sum_required);
  EXPECT_TRUE(strict.all<FindArchive>().empty());
  EXPECT_TRUE(lenient.sent<messages::Decline>().empty());
}

TEST_F(SecureSum, WithoutARootKeyItIsDeclined) {
  Harness h;
  h.go_online();
  h.receive(secure_task(h));
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Decline>()[0].report.reason.code, ReasonCode::root_unknown);
}

TEST_F(SecureSum, AWeakerOneThanThePolicyIsDeclinedBeforeAnyWork) {
  AgentConfig c = config();
  c.secure_sums->policy.threat_model = sa::ThreatModel::active;
  Harness h(c);
  h.go_online();
  h.receive(secure_task(h));
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty());
  EXPECT_TRUE(h.all<FindArchive>().empty());
}

TEST_F(SecureSum, KeysAreSentAtOnceAndTheUpdateOnlyMasked) {
  Harness h(config());
  const auto task = secure_task(h);
  h.train(task);
  exchange(h, task);
  h.end_training(task);
  EXPECT_TRUE(h.sent<messages::Offer>().empty()) << "no shares yet: nothing may leave";
  EXPECT_EQ(asked_to_mask(h), nullptr);
  deliver(h, task);
  const MaskUpdate* mask = asked_to_mask(h);
  ASSERT_NE(mask, nullptr);
  EXPECT_EQ(mask->terms.size(), 3U) << "its own and two neighbours'";
  EXPECT_EQ(mask->examples, 10U);
  h.apply(UpdateMasked{task.task, setup_of(task), checksum("masked"), 77});
  const auto offers = h.sent<messages::Offer>();
  ASSERT_EQ(offers.size(), 1U);
  EXPECT_EQ(offers[0].bytes, 77U);
  EXPECT_EQ(offers[0].setup, setup_of(task));
  EXPECT_EQ(offers[0].examples, 0U) << "the weight is in the sum";
  EXPECT_TRUE(offers[0].metrics.empty());
  h.receive(messages::Grant{task.task, 0, 77});
  for (const auto& range : h.all<SendUpdateRange>()) EXPECT_TRUE(range.masked);
  EXPECT_FALSE(h.all<SendUpdateRange>().empty());
}

TEST_F(SecureSum, SharesMayComeBeforeTheTrainingEnds) {
  Harness h(config());
  const auto task = secure_task(h);
  h.train(task);
  exchange(h, task);
  deliver(h, task);
  EXPECT_EQ(asked_to_mask(h), nullptr);
  h.end_training(task);
  EXPECT_NE(asked_to_mask(h), nullptr);
}

TEST_F(SecureSum, AfterAReconnectTheSameMessagesAreSentAgain) {
  Harness h(config());
  const auto task = secure_task(h);
  h.train(task);
  exchange(h, task);
  const auto adverts = h.sent<messages::KeyAdvert>();
  const auto shares = h.sent<messages::EncryptedShares>();
  h.forget();
  h.apply(LinkDown{Error{ErrorCode::network, "link", "is down", {}}});
  h.go_online();
  h.receive(task);
  ASSERT_EQ(h.sent<messages::KeyAdvert>().size(), 1U);
  EXPECT_EQ(h.sent<messages::KeyAdvert>()[0].advert.share_key, adverts[0].advert.share_key);
  ASSERT_EQ(h.sent<messages::EncryptedShares>().size(), 1U);
  EXPECT_EQ(h.sent<messages::EncryptedShares>()[0].shares, shares[0].shares);
  EXPECT_TRUE(h.all<StartTraining>().empty()) << "nothing is trained twice";
}

TEST_F(SecureSum, AnotherAttemptGetsOtherKeysAndTheSameUpdate) {
  Harness h(config());
  const auto task = secure_task(h);
  h.train(task);
  exchange(h, task);
  deliver(h, task);
  h.end_training(task);
  h.apply(UpdateMasked{task.task, setup_of(task), checksum("masked"), 77});
  const auto first = h.sent<messages::KeyAdvert>()[0].advert;
  h.forget();
  const auto again = secure_task(h, 2);
  h.receive(again);
  ASSERT_EQ(h.sent<messages::KeyAdvert>().size(), 1U);
  EXPECT_NE(h.sent<messages::KeyAdvert>()[0].advert.mask_key, first.mask_key);
  EXPECT_TRUE(h.sent<messages::Offer>().empty()) << "what was masked for the first attempt is withdrawn";
  EXPECT_TRUE(h.all<StartTraining>().empty());
  // A late grant of the first attempt gets nothing.
  h.receive(messages::Grant{task.task, 0, 77});
  EXPECT_TRUE(h.all<SendUpdateRange>().empty());
  exchange(h, again);
  deliver(h, again);
  EXPECT_NE(asked_to_mask(h), nullptr);
}

TEST_F(SecureSum, WhenItIsOverItsSecretsAreGoneAndTheUpdateIsKept) {
  Harness h(config());
  const auto task = secure_task(h);
  h.train(task);
  exchange(h, task);
  deliver(h, task);
  h.end_training(task);
  h.apply(UpdateMasked{task.task, setup_of(task), checksum("masked"), 77});
  h.receive(messages::Receipt{task.task, messages::Verdict::counted, ""});
  h.receive(messages::Cancel{task.task, "the secure sum is over"});
  h.forget();
  h.receive(messages::UnmaskRequest{task.task, setup_of(task), {0x07}, {}});
  EXPECT_TRUE(h.sent<messages::UnmaskShares>().empty());
  EXPECT_TRUE(h.sent<messages::Decline>().empty());
  // Another attempt needs no training.
  h.receive(secure_task(h, 2));
  EXPECT_EQ(h.sent<messages::KeyAdvert>().size(), 1U);
  EXPECT_TRUE(h.all<StartTraining>().empty());
}

TEST_F(SecureSum, ARosterOfStrangersIsLeftAndTheUpdateStays) {
  Harness h(config());
  const auto task = secure_task(h);
  h.train(task);
  const auto setup = messages::sum_setup("harbour", task);
  const sa::SigningKey another_root = *sa::SigningKey::generate();
  sa::Roster roster{{*sa::certify(root, "harbour", "a", key->public_key(), sa::holds_always),
                     h.sent<messages::KeyAdvert>()[0].advert}};
  for (const char* name : {"b", "c"}) {
    other_keys.push_back(std::make_unique<sa::SigningKey>(*sa::SigningKey::generate()));
    const auto stranger =
        sa::ClientSum::begin(setup, of_three(), {name, other_keys.back().get(), root.public_key()});
    roster.push_back(
        {*sa::certify(another_root, "harbour", name, other_keys.back()->public_key(), sa::holds_always),
         stranger->advert()});
  }
  hear_roster(h, task, sa::encode(roster));
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Decline>()[0].report.reason.code, ReasonCode::certificate_invalid);
  EXPECT_EQ(h.all<StopTraining>().size(), 1U);
  h.end_training(task);
  EXPECT_TRUE(h.sent<messages::Offer>().empty());
  EXPECT_EQ(asked_to_mask(h), nullptr);
}

// --- Attacks by the aggregator ---

using AdversarySecureSum = SecureSum;

TEST_F(AdversarySecureSum, ATaskThatTheSetupDoesNotBindIsDeclined) {
  const auto expect_declined = [&](void (*change)(messages::TrainTask&), const char* reason) {
    AgentConfig c = config();
    c.reports.details = ReportDetails::sent;
    Harness h(c);
    h.go_online();
    messages::TrainTask task = secure_task(h);
    change(task);
    h.receive(task);
    ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
    const std::string& details = h.sent<messages::Decline>()[0].report.details;
    EXPECT_NE(details.find(reason), std::string::npos) << details;
    EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty());
  };
  expect_declined([](auto& task) { task.seed += 1; }, "seed of its own choice");
  expect_declined([](auto& task) { task.secure->seed += 1; }, "seed of its own choice");
  expect_declined([](auto& task) { task.inputs[0].values.reset(); }, "does not name the values");
}

// Each change of what determines an update is a change of what the clients sign.
TEST_F(AdversarySecureSum, EveryPartOfTheWorkIsInTheSetup) {
  const messages::TrainTask task = secure_task(Harness());
  using Change = void (*)(messages::TrainTask&);
  const Change changes[] = {
      [](auto& t) { t.archive.bytes[0] ^= 1; },
      [](auto& t) { t.layout.bytes[31] ^= 1; },
      [](auto& t) { t.inputs[0].values->bytes[5] ^= 1; },
      [](auto& t) { t.inputs[0].name += "x"; },
      [](auto& t) { t.inputs.push_back(t.inputs[0]); },
      [](auto& t) { t.method.name += "x"; },
      [](auto& t) {
        t.method.options.push_back({"learning_rate", 1e-9});
      },
      [](auto& t) {
        t.method.options.push_back({"epochs", std::int64_t{2}});
      },
      [](auto& t) {
        t.method.options.push_back({"note", std::string("1")});
      },
      [](auto& t) {
        t.method.options.push_back({"personal", std::vector<std::string>{"head.*"}});
      },
      [](auto& t) { t.outputs[0].values += 1; },
      [](auto& t) { t.outputs[0].name += "x"; },
      [](auto& t) { t.magnitude_max /= 2; },
      [](auto& t) { t.secure->seed += 1; },
      [](auto& t) { t.secure->attempt += 1; },
      [](auto& t) { t.secure->nonce.bytes[9] ^= 1; },
      [](auto& t) { t.round.value += 1; },
      [](auto& t) { t.secure->quantisation.clip *= 2; },
      [](auto& t) { t.secure->segments[0].scale *= 2; },
      [](auto& t) { t.secure->metrics.push_back("loss"); },
  };
  std::set<Digest> seen{setup_of(task)};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    messages::TrainTask changed = task;
    changes[i](changed);
    EXPECT_TRUE(seen.insert(setup_of(changed)).second) << "change " << i;
  }
}

// The aggregator opens a sum of three clients, and then asks for one of the same updates with a fourth client.
TEST_F(AdversarySecureSum, ASecondSumOfTheUpdateIsNotOpenedAlsoAfterARestart) {
  AgentConfig c = config();
  Harness first(c);
  const auto task = secure_task(first);
  mask(first, task);
  first.receive(messages::UnmaskRequest{task.task, setup_of(task), {0x07}, {}});
  const auto remembering = first.all<RememberOpening>();
  ASSERT_EQ(remembering.size(), 1U);
  EXPECT_TRUE(first.sent<messages::UnmaskShares>().empty()) << "nothing leaves before it is remembered";
  first.apply(OpeningRemembered{task.task, setup_of(task), {}});
  EXPECT_EQ(first.sent<messages::UnmaskShares>().size(), 1U);

  // The sum of the same survivors may be opened again, after a restart too.
  c.secure_sums->opened.add(remembering[0].sum);
  Harness same(c);
  const auto again = secure_task(same, 2);
  mask(same, again);
  same.receive(messages::UnmaskRequest{again.task, setup_of(again), {0x07}, {}});
  EXPECT_EQ(same.sent<messages::UnmaskShares>().size(), 1U);

  // With one client exchanged it may not.
  c.secure_sums->opened = {};
  auto other = remembering[0].sum;
  other.survivors[2] = sa::tag_of("d");
  std::ranges::sort(other.survivors);
  c.secure_sums->opened.add(other);
  Harness changed(c);
  const auto third = secure_task(changed, 3);
  mask(changed, third);
  changed.receive(messages::UnmaskRequest{third.task, setup_of(third), {0x07}, {}});
  EXPECT_TRUE(changed.sent<messages::UnmaskShares>().empty());
  ASSERT_EQ(changed.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(changed.sent<messages::Decline>()[0].report.reason.code, ReasonCode::sum_repeated);
}

// The operator has ended the certificates of epoch 1. The aggregator returns to it, with the certificate of a device
// that was stolen.
TEST_F(AdversarySecureSum, AnEpochThatHasEndedIsDeclinedAlsoAfterARestart) {
  AgentConfig c = config();
  sa::OpenedSum earlier{sha256(std::string_view("earlier")), checksum("update"), {}, {}, 2};
  c.secure_sums->opened.add(earlier);
  Harness h(c);
  h.go_online();
  h.receive(secure_task(h));
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Decline>()[0].report.reason.code, ReasonCode::certificate_outdated);
  EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty());
  auto task = secure_task(h, 2);
  task.secure->certificate_epoch = 2;
  h.receive(task);
  EXPECT_EQ(h.sent<messages::KeyAdvert>().size() + h.all<FindArchive>().size(), 1U) << "the present epoch";
}

// The aggregator has the client train on one model, and then names another one, which the others have: in their sum the
// update could be told apart.
TEST_F(AdversarySecureSum, AnUpdateIsNotMaskedForAnotherModelThanItWasTrainedOn) {
  using Change = void (*)(messages::TrainTask&);
  const Change changes[] = {[](auto& t) { t.inputs[0].values->bytes[5] ^= 1; },
                            [](auto& t) { t.magnitude_max /= 2; }, [](auto& t) { t.round.value += 1; }};
  for (const Change change : changes) {
    Harness h(config());
    const auto task = secure_task(h);
    mask(h, task);
    h.forget();
    auto other = secure_task(h, 2);
    change(other);
    h.receive(other);
    EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty()) << "it takes part with the update of the first task";
    EXPECT_EQ(h.all<FindArchive>().size(), 1U) << "it begins again";
  }
}

// How a training ends is visible. A chosen model and learning rate would make it the answer to a question about the
// device's data, so that a training needs a cohort that the client has verified.
TEST_F(AdversarySecureSum, InTheActiveModelADeviceDoesNotTrainForTheAggregatorAlone) {
  const auto active_task = [](const Harness& h) {
    messages::TrainTask task = secure_task(h);
    task.secure->assumptions.threat_model = sa::ThreatModel::active;
    return task;
  };
  Harness h(config());
  const auto task = active_task(h);
  h.train(task);
  EXPECT_TRUE(h.all<StartTraining>().empty());
  exchange(h, task);
  EXPECT_TRUE(h.all<StartTraining>().empty());
  deliver(h, task);
  ASSERT_EQ(h.all<StartTraining>().size(), 1U);
  h.end_training(task);
  EXPECT_NE(asked_to_mask(h), nullptr);

  Harness cancelled(config());
  const auto dropped = active_task(cancelled);
  cancelled.train(dropped);
  exchange(cancelled, dropped);
  cancelled.receive(messages::Cancel{dropped.task, "the round is over"});
  deliver(cancelled, dropped);
  EXPECT_TRUE(cancelled.all<StartTraining>().empty());
  EXPECT_TRUE(cancelled.all<StopTraining>().empty()) << "nothing was started";
}

// What is remembered limits later sums, so that requests of the aggregator alone must leave no trace.
TEST_F(AdversarySecureSum, ARequestThatIsNotAnsweredIsNotRemembered) {
  const auto ask = [&](Harness& h, const messages::TrainTask& task, std::uint8_t survivors) {
    h.receive(messages::SurvivorSet{task.task, setup_of(task), {survivors}});
    h.receive(messages::UnmaskRequest{task.task, setup_of(task), {survivors}, {}});
    EXPECT_TRUE(h.all<RememberOpening>().empty());
  };
  Harness before_roster(config());
  auto task = secure_task(before_roster);
  task.secure->certificate_epoch = 4'000'000'000;
  before_roster.train(task);
  ask(before_roster, task, 0);
  Harness before_training(config());
  task = secure_task(before_training);
  before_training.train(task);
  exchange(before_training, task);
  deliver(before_training, task);
  ask(before_training, task, 0x07);
  Harness without_itself(config());
  task = secure_task(without_itself);
  mask(without_itself, task);
  ask(without_itself, task, 0x06);
  Harness too_few(config());
  task = secure_task(too_few);
  mask(too_few, task);
  ask(too_few, task, 0x03);
}

TEST_F(AdversarySecureSum, ASumThatCannotBeRememberedIsNotOpened) {
  Harness h(config());
  const auto task = secure_task(h);
  mask(h, task);
  h.receive(messages::UnmaskRequest{task.task, setup_of(task), {0x07}, {}});
  h.apply(OpeningRemembered{task.task, setup_of(task), fail(ErrorCode::storage, "disk", "is full")});
  EXPECT_TRUE(h.sent<messages::UnmaskShares>().empty());
  EXPECT_EQ(h.sent<messages::Decline>().size(), 1U);
}

}  // namespace
}  // namespace hansa::client::testing
