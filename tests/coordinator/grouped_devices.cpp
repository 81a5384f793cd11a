#include "tests/coordinator/grouped_devices.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::server::testing {

namespace sa = secure_aggregation;

CoordinatorConfig grouped_config(const std::vector<std::string>& names) {
  CoordinatorConfig c = small_config();
  c.settings.rounds = 1'000'000;
  c.settings.admitted = names;
  CohortConfig& cohort = c.settings.cohort;
  cohort.mode = CohortMode::buffered;
  cohort.buffered.updates = 3;
  cohort.buffered.weights = BufferedConfig::Weights::examples;
  cohort.clients_min = 3;
  cohort.clients_expected = static_cast<std::uint32_t>(names.size());
  cohort.quorum = 1;
  cohort.deadline = std::chrono::seconds(20);  // before any lease ends
  c.settings.secure_sums.emplace();
  c.settings.secure_sums->phase_max = std::chrono::seconds(10);
  c.settings.secure_sums->honest_min = sa::honest_min_least;
  return c;
}

GroupedDevices::GroupedDevices(const CoordinatorConfig& config, const std::vector<std::string>& names)
    : h(config, RoundId(0), [this](const std::string& name) -> std::optional<sa::Certificate> {
        if (!devices_.contains(name)) return std::nullopt;
        return *sa::certify(root_, "harbour", name, devices_.at(name).key.public_key(), sa::holds_always);
      }) {
  for (const std::string& name : names) devices_.emplace(name, Device{});
}

void GroupedDevices::connect(const std::string& name) {
  // Its process is new, and its keys are lost.
  Device& device = of(name);
  device.sum.reset();
  device.setup = {};
  if (device.peer.peer != PeerId()) h.apply(PeerGone{device.peer.peer});
  device.peer = h.peer(name);
  (void)h.hello(device.peer, 100);
}

void GroupedDevices::connect_all() {
  for (auto& [name, device] : devices_) {
    connect(name);
    EXPECT_NE(device.peer.session, SessionId()) << name << " was not welcomed";
  }
  drain();
}

void GroupedDevices::train(const std::string& name) {
  of(name).is_trained = true;
  offer(of(name));
  drain();
}

void GroupedDevices::train(const std::vector<std::string>& names) {
  for (const std::string& name : names) train(name);
}

void GroupedDevices::offer(Device& device) {
  if (!device.is_trained || device.is_offered || !device.sum || !device.sum->can_mask()) return;
  device.is_offered = true;
  messages::Offer offer;
  offer.task = device.task.task;
  offer.setup = device.setup;
  offer.update = checksum(std::string_view(device.peer.name + device.setup.text()));
  const auto& setup = device.sum->setup();
  offer.bytes = sa::packed_bytes(sa::vector_elements(setup), setup.quantisation.ring_bits);
  h.say(device.peer, offer);
}

void GroupedDevices::deliver(Device& device, const messages::ToClient& message,
                             std::span<const std::byte> bulk) {
  if (const auto* task = std::get_if<messages::TrainTask>(&message)) {
    ASSERT_TRUE(task->secure);
    auto setup = messages::sum_setup("harbour", *task);
    const Digest digest = setup.digest();
    if (device.setup != digest) {
      sa::Policy policy;
      policy.threat_model = setup.assumptions.threat_model;
      policy.honest_min = sa::honest_min_least;
      // Another sum of a task that was trained needs no training.
      if (device.task.task != task->task) device.is_trained = false;
      device.is_offered = false;
      device.task = *task;
      device.setup = digest;
      ++device.tasks;
      auto sum =
          sa::ClientSum::begin(std::move(setup), policy, {device.peer.name, &device.key, root_.public_key()});
      ASSERT_TRUE(sum) << sum.error().text();
      device.sum.emplace(std::move(*sum));
    }
    h.say(device.peer, messages::KeyAdvert{task->task, digest, device.sum->advert()});
    if (device.pulls)
      h.say(device.peer, messages::Pull{task->inputs.front().vector, 0,
                                        static_cast<std::uint32_t>(task->inputs.front().bytes)});
  } else if (const auto* roster = std::get_if<messages::KeyRoster>(&message)) {
    if (!device.sum || roster->setup != device.setup || device.sum->can_mask()) return;
    auto shares = device.sum->on_roster(bulk, UtcSeconds{});
    if (shares)
      h.say(device.peer, messages::EncryptedShares{roster->task, roster->setup, std::move(*shares)});
  } else if (const auto* delivery = std::get_if<messages::ShareDelivery>(&message)) {
    if (!device.sum || delivery->setup != device.setup || device.sum->can_mask()) return;
    auto sharers = sa::Subset::of(device.sum->clients() - 1, delivery->sharers);
    ASSERT_TRUE(sharers);
    if (device.sum->on_delivery({std::move(*sharers), delivery->shares})) offer(device);
  } else if (const auto* grant = std::get_if<messages::Grant>(&message)) {
    for (std::uint64_t at = grant->offset; at < grant->limit; at += h.config.process.chunk_bytes)
      h.say(device.peer, messages::UpdateChunk{grant->task, at},
            std::min<std::uint64_t>(h.config.process.chunk_bytes, grant->limit - at));
  } else if (const auto* request = std::get_if<messages::UnmaskRequest>(&message)) {
    if (!device.sum || request->setup != device.setup) return;
    auto told = device.sum->on_unmask(
        {*sa::Subset::of(device.sum->clients(), request->survivors), request->signatures});
    if (!told) return;
    messages::UnmaskShares shares{request->task, request->setup, {}};
    for (const Secret32& share : told->shares)
      std::ranges::copy(share.bytes(), shares.shares.emplace_back().begin());
    h.say(device.peer, shares);
  }
}

void GroupedDevices::drain() {
  for (; seen_ < h.effects.size(); ++seen_) {
    if (watch) watch(h.effects[seen_]);
    // Copies, because answers append effects.
    if (const auto* count = std::get_if<CountUpdate>(&h.effects[seen_])) {
      const std::string client = count->client;
      h.check(client, verify ? verify(client) : Result<void>());
    } else if (auto* commit = std::get_if<CommitRound>(&h.effects[seen_])) {
      commits.push_back(std::move(*commit));
    } else if (const auto* send = std::get_if<Send>(&h.effects[seen_])) {
      const PeerId peer = send->peer;
      const messages::ToClient message = send->message;
      for (auto& [name, device] : devices_)
        if (device.peer.peer == peer) deliver(device, message, {});
    } else if (const auto* held = std::get_if<SendHeld>(&h.effects[seen_])) {
      const SendHeld copy = *held;
      for (auto& [name, device] : devices_)
        if (device.peer.peer == copy.peer) deliver(device, copy.message, *copy.bulk);
    }
  }
  h.forget();
  seen_ = 0;
}

void GroupedDevices::lose() {
  for (; seen_ < h.effects.size(); ++seen_) {
    if (watch) watch(h.effects[seen_]);
    if (auto* commit = std::get_if<CommitRound>(&h.effects[seen_])) commits.push_back(std::move(*commit));
    if (const auto* count = std::get_if<CountUpdate>(&h.effects[seen_])) {
      const std::string client = count->client;
      h.check(client, verify ? verify(client) : Result<void>());
    }
  }
  h.forget();
  seen_ = 0;
}

Verdict GroupedDevices::commit() {
  const Verdict verdict = h.commit();
  drain();
  return verdict;
}

std::vector<std::string> GroupedDevices::group_of(const std::string& name) const {
  std::vector<std::string> out;
  for (const auto& [other, device] : devices_)
    if (device.setup == devices_.at(name).setup) out.push_back(other);
  return out;
}

}  // namespace hansa::server::testing
