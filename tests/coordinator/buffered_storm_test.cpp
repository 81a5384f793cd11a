// Buffered aggregation under hostile and honest traffic in any order: the shell's spools stay consistent, every model has
// K counted updates, none of them twice, and well-behaved clients get through afterwards.
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/coordinator/storm.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t updates_of_a_model = 4;

// What the shell would hold.
class Shell {
 public:
  void look(const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) {
      spools_.look(effect);
      if (std::holds_alternative<BeginUpdates>(effect)) {
        is_committing_ = false;
        in_sum_ = 0;
      } else if (const auto* count = std::get_if<CountUpdate>(&effect)) {
        EXPECT_FALSE(is_committing_) << "the sum is in use";
        EXPECT_TRUE(count->terms && count->terms->weight <= count->terms->full_weight);
      } else if (const auto* commit = std::get_if<CommitRound>(&effect)) {
        is_committing_ = true;
        EXPECT_TRUE(checks().empty()) << "a model is made while an update is checked";
        EXPECT_EQ(in_sum_, updates_of_a_model);
        EXPECT_EQ(commit->record.arrivals.size(), updates_of_a_model);
        EXPECT_LE(commit->fetched.size(), 3U);
        for (const Arrival& arrival : commit->record.arrivals)
          EXPECT_TRUE(seen_.insert({arrival.client, arrival.base.value, arrival.task}).second)
              << arrival.client << " counts twice";
      } else if (const auto* send = std::get_if<Send>(&effect)) {
        if (const auto* task = std::get_if<messages::TrainTask>(&send->message))
          tasks[send->peer.value] = task->task;
      }
    }
  }
  void counted() { ++in_sum_; }

  std::vector<std::string>& checks() { return spools_.checks; }  // to be answered
  std::map<std::uint64_t, TaskId> tasks;  // the last one that was sent, by connection

 private:
  Spools spools_;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> seen_;
  std::uint32_t in_sum_ = 0;
  bool is_committing_ = false;
};

class Storm {
 public:
  explicit Storm(std::uint64_t seed)
      : random_(seed),
        h_(config(random_, seed)),
        peers_(two_peers_each(h_, {"a", "b", "c", "d", "e", "f"})) {}

  void rage() {
    for (int step = 0; step < 800 && !::testing::Test::HasFailure(); ++step) {
      h_.now += std::chrono::milliseconds(random_.below(random_.chance(0.02) ? 20'000 : 300));
      act(peers_[random_.below(peers_.size())]);
      drain();
    }
  }

  // New connections of well-behaved clients.
  void expect_usable() {
    while (!shell_.checks().empty()) answer_check(true);
    h_.commit();
    drain();
    for (auto& peer : peers_) h_.apply(PeerGone{peer.peer});
    h_.advance(seconds(200));
    drain();
    h_.commit();
    drain();
    const std::size_t before = h_.committed.size();
    std::vector<Peer> good;
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) good.push_back(h_.connect(name));
    for (int turn = 0; turn < 60 && h_.committed.size() == before; ++turn) {
      for (auto& peer : good) h_.say(peer, messages::Pong{});
      drain();
      for (auto& peer : good) {
        finish(peer);
        while (!shell_.checks().empty()) answer_check(true);
      }
      h_.advance(seconds(5));
      drain();
    }
    EXPECT_GT(h_.committed.size(), before) << "no model can be made after the storm";
  }
  [[nodiscard]] std::size_t models() const { return h_.committed.size(); }

 private:
  static CoordinatorConfig config(Random& random, std::uint64_t seed) {
    CoordinatorConfig c = small_config();
    c.settings.rounds = 1'000'000;
    c.settings.seed = seed;
    c.settings.cohort.mode = CohortMode::buffered;
    c.settings.cohort.buffered.updates = updates_of_a_model;
    c.settings.cohort.buffered.staleness_max = static_cast<std::uint32_t>(random.below(4));
    c.settings.cohort.buffered.concurrency = static_cast<std::uint32_t>(random.below(5));
    c.settings.limits.uploads_max = static_cast<std::uint32_t>(1 + random.below(3));
    return c;
  }

  void drain() {
    shell_.look(h_.effects);
    adopt_sessions(peers_, h_.effects);
    h_.forget();
  }

  void answer_check(bool valid) {
    const std::string client = shell_.checks().front();
    shell_.checks().erase(shell_.checks().begin());
    if (valid) shell_.counted();
    h_.check(client, valid ? Result<void>() : Result<void>(fail(ErrorCode::protocol, client, "digest")));
    drain();
  }

  messages::Offer offer_of(const Peer& from) {
    messages::Offer offer;
    offer.task = shell_.tasks[from.peer.value];
    offer.update = checksum(std::string_view(from.name + std::to_string(offer.task.value)));
    offer.bytes = h_.config.model.elements * sizeof(float);
    offer.examples = 10;
    return offer;
  }

  // An honest client: it sends what it was granted until the update is complete or nothing is granted any more.
  void finish(const Peer& from) {
    const auto offer = offer_of(from);
    if (h_.say(from, offer) != Verdict::accepted) return drain();
    for (;;) {
      const auto grants = h_.sent<messages::Grant>(from);
      drain();
      if (grants.empty() || grants.back().task != offer.task) return;
      for (std::uint64_t at = grants.back().offset; at < grants.back().limit; at += 100)
        h_.say(from, messages::UpdateChunk{offer.task, at}, 100);
    }
  }

  void act(Peer& from) {
    const TaskId task = random_.chance(0.9) ? shell_.tasks[from.peer.value] : TaskId(random_.next());
    switch (random_.below(12)) {
      case 0: h_.apply(TickEvent{}); break;
      case 1:
        if (random_.chance(0.2)) h_.apply(PeerGone{from.peer});
        break;
      case 2:
        if (!shell_.checks().empty()) answer_check(random_.chance(0.8));
        break;
      case 3:
        if (h_.coordinator.phase() == Phase::committing) h_.commit();
        break;
      case 4:
      case 5:
        h_.hello(from);
        drain();
        finish(from);
        break;
      case 6: {
        auto offer = offer_of(from);
        offer.task = task;
        if (random_.chance(0.1)) offer.bytes = random_.next() >> 24;
        if (random_.chance(0.1)) offer.examples = random_.next();
        h_.say(from, offer);
        break;
      }
      case 7: h_.say(from, messages::UpdateChunk{task, 100 * random_.below(11)}, 100); break;
      case 8: h_.say(from, messages::Decline{task, {}}); break;
      case 9: {
        const Digest blobs[] = {h_.config.model.archive, h_.coordinator.model(), sha256("no such")};
        h_.say(from, messages::Pull{blobs[random_.below(3)], random_.below(1'100),
                                    static_cast<std::uint32_t>(1 + random_.below(1'600))});
        break;
      }
      case 10: h_.say(from, messages::Ping{task}); break;
      default:
        if (random_.chance(0.2)) h_.say(from, messages::Bye{"bye"});
        else h_.say(from, messages::Pong{TaskId()});
    }
  }

  Random random_;
  Harness h_;
  Shell shell_;
  std::vector<Peer> peers_;
};

TEST(BufferedStorm, NeverCountsAnUpdateTwiceNeverLosesASpoolAndStaysUsable) {
  std::size_t models = 0;
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Storm storm(seed);
    storm.rage();
    if (!HasFailure()) storm.expect_usable();
    models += storm.models();
  }
  EXPECT_GT(models, 600U) << "the storms themselves make models";
}

}  // namespace
}  // namespace hansa::server::testing
