#include "tests/coordinator/lying_devices.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::server::testing {

namespace sa = secure_aggregation;
using std::chrono::seconds;

namespace {

std::string name_of(std::uint32_t i) { return (i < 10 ? "c0" : "c") + std::to_string(i); }

}  // namespace

CoordinatorConfig secure_config(std::uint32_t clients) {
  CoordinatorConfig config = small_config();
  config.model.elements = 4;
  config.process.chunk_bytes = 1 << 16;
  config.settings.rounds = 100'000;
  config.settings.admitted.clear();
  for (std::uint32_t i = 0; i < clients; ++i) config.settings.admitted.push_back(name_of(i));
  config.settings.cohort.clients_min = 3;
  config.settings.cohort.clients_expected = clients;
  config.settings.cohort.quorum = 0.5;
  config.settings.cohort.deadline = seconds(20);
  config.settings.cohort.attempts_max = 3;
  config.settings.secure_sums.emplace();
  config.settings.secure_sums->phase_max = seconds(10);
  config.settings.secure_sums->honest_min = sa::honest_min_least;
  return config;
}

LyingDevices::LyingDevices(CoordinatorConfig config, std::uint32_t clients, std::map<std::string, Lie> lies,
                           sa::ThreatModel model) {
  config.settings.secure_sums->assumptions.threat_model = model;
  for (std::uint32_t i = 0; i < clients; ++i) devices_[name_of(i)].lie = lies[name_of(i)];
  h.emplace(std::move(config), RoundId(0), [this](const std::string& name) -> std::optional<sa::Certificate> {
    return *sa::certify(root_, "harbour", name, devices_.at(name).key.public_key(), sa::holds_always);
  });
  for (auto& [name, device] : devices_) {
    device.peer = h->connect(name, 100);
    by_peer_[device.peer.peer.value] = name;
  }
}

bool LyingDevices::logged(const std::string& text) const {
  return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(text) != line.npos; });
}

std::string LyingDevices::log() const {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

void LyingDevices::run(std::uint32_t rounds, std::uint32_t attempts_max) {
  while (this->rounds() < rounds && h->finished.empty() && attempts <= attempts_max) {
    while (!h->effects.empty()) {
      std::vector<Effect> effects = std::exchange(h->effects, {});
      for (const Effect& effect : effects)
        if (this->rounds() < rounds) carry_out(effect);
    }
    if (this->rounds() >= rounds || !h->finished.empty()) break;
    h->advance(seconds(1));
    for (auto& [name, device] : devices_) h->say(device.peer, messages::Pong{device.task});
  }
}

void LyingDevices::carry_out(const Effect& effect) {
  if (const auto* started = std::get_if<RoundStarted>(&effect)) {
    ++attempts;
    std::set<std::string> cohort;
    for (const auto& member : h->coordinator.progress(h->now).members) cohort.insert(member.client);
    if (cohort.size() == started->cohort) cohorts.push_back(std::move(cohort));
  } else if (const auto* line = std::get_if<Log>(&effect)) {
    lines.push_back(line->text);
    if (line->about == "left out") ++left_out[line->client];
  } else if (const auto* count = std::get_if<CountUpdate>(&effect)) {
    EXPECT_EQ(h->check(count->client), Verdict::accepted);
  } else if (const auto* commit = std::get_if<CommitRound>(&effect)) {
    const auto is_bad = [&](const Participation& p) {
      return p.outcome == Outcome::counted && devices_.at(p.client).lie == Lie::bad_vector;
    };
    h->advance(std::chrono::milliseconds(300));
    if (std::ranges::none_of(commit->record.participations, is_bad)) {
      EXPECT_EQ(h->commit(), Verdict::accepted);
    } else {
      ++refused_sums;
      h->apply(SumRefused{commit->record.round, "it is no sum of updates"});
    }
  } else if (const auto* held = std::get_if<SendHeld>(&effect)) {
    share(devices_.at(by_peer_.at(held->peer.value)), *held->bulk);
  } else if (const auto* send = std::get_if<Send>(&effect)) {
    take(devices_.at(by_peer_.at(send->peer.value)), send->message);
  }
}

void LyingDevices::take(Device& d, const messages::ToClient& message) {
  if (const auto* task = std::get_if<messages::TrainTask>(&message)) begin(d, *task);
  if (const auto* delivery = std::get_if<messages::ShareDelivery>(&message)) take_delivery(d, *delivery);
  if (const auto* request = std::get_if<messages::UnmaskRequest>(&message)) answer(d, *request);
  if (const auto* grant = std::get_if<messages::Grant>(&message))
    h->say(d.peer, messages::UpdateChunk{grant->task, grant->offset}, grant->limit - grant->offset);
  if (const auto* set = std::get_if<messages::SurvivorSet>(&message); set != nullptr && set->setup == d.setup)
    if (const auto signature = d.sum->on_survivors(*sa::Subset::of(d.sum->clients(), set->survivors)))
      h->say(d.peer, messages::SurvivorSignature{d.task, d.setup, *signature});
}

void LyingDevices::begin(Device& d, const messages::TrainTask& task) {
  auto setup = messages::sum_setup("harbour", task);
  if (d.sum && setup.digest() == d.setup) return;
  d.task = task.task;
  d.setup = setup.digest();
  sa::Policy policy;
  policy.threat_model = setup.assumptions.threat_model;
  policy.honest_min = sa::honest_min_least;
  auto sum = sa::ClientSum::begin(std::move(setup), policy, {d.peer.name, &d.key, root_.public_key()});
  ASSERT_TRUE(sum) << sum.error().text();
  d.sum.emplace(std::move(*sum));
  h->say(d.peer, messages::KeyAdvert{d.task, d.setup, d.sum->advert()});
}

void LyingDevices::share(Device& d, const std::vector<std::byte>& roster) {
  auto made = d.sum->on_roster(roster, UtcSeconds{});
  if (!made) return;
  if (d.lie == Lie::deals_garbage)
    for (auto& sealed : *made) sealed[random_.below(sealed.size())] ^= 1;
  h->say(d.peer, messages::EncryptedShares{d.task, d.setup, std::move(*made)});
}

void LyingDevices::take_delivery(Device& d, const messages::ShareDelivery& delivery) {
  if (delivery.setup != d.setup || d.sum->can_mask()) return;
  auto done = d.sum->on_delivery({*sa::Subset::of(d.sum->clients() - 1, delivery.sharers), delivery.shares});
  if (d.lie == Lie::accuses)
    done = tl::make_unexpected(
        Error{ErrorCode::protocol, "", "", "", {ReasonCode::shares_invalid, {{Quantity::member, 0}}}});
  if (!done) {
    h->say(d.peer, messages::Decline{d.task, {done.error().reason, {}}});
    return;
  }
  messages::Offer offer;
  offer.task = d.task;
  offer.setup = d.setup;
  offer.update = checksum(std::string_view(d.peer.name));
  offer.bytes = sa::packed_bytes(sa::vector_elements(d.sum->setup()), d.sum->setup().quantisation.ring_bits);
  h->say(d.peer, offer);
}

void LyingDevices::answer(Device& d, const messages::UnmaskRequest& request) {
  if (request.setup != d.setup || d.lie == Lie::reveals_nothing) return;
  auto told = d.sum->on_unmask({*sa::Subset::of(d.sum->clients(), request.survivors), request.signatures});
  if (!told) return;
  messages::UnmaskShares message{d.task, d.setup, {}};
  for (Secret32& share : told->shares) {
    if (d.lie == Lie::reveals_garbage) share.bytes()[random_.below(32)] ^= 1;
    std::ranges::copy(share.bytes(), message.shares.emplace_back().begin());
  }
  h->say(d.peer, message);
}

}  // namespace hansa::server::testing
