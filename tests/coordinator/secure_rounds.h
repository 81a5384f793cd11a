// A coordinator and four devices with real machines for secure sums; their vectors do not matter.
#pragma once
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/client.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {

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

}  // namespace hansa::server::testing
