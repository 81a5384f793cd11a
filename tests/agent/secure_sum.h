// A client in a secure sum: the test plays the other clients and the aggregator.
#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/aggregator.h"
#include "protocols/secure_aggregation/packing.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {

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

}  // namespace hansa::client::testing
