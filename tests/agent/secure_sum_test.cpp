// What a client requires before it sends an update, and what leaves the device.
#include "tests/agent/secure_sum.h"

namespace hansa::client::testing {
namespace {

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

}  // namespace
}  // namespace hansa::client::testing
