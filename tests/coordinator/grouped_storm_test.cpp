// Groups of buffered aggregation under hostile and honest traffic, lost messages and restarts of clients in any order: the
// shell's spools and sums stay consistent, no client is in two groups or in two models with one update, and well-behaved
// clients get through afterwards.
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/coordinator/grouped_devices.h"
#include "tests/coordinator/storm.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g"};

class Shell {
 public:
  void look(const Effect& effect) {
    spools_.look(effect);
    if (const auto* begin = std::get_if<BeginUpdates>(&effect)) {
      const SumNumber sum = std::get<MaskedSetup>(begin->setup).sum;
      EXPECT_TRUE(ever_.insert(sum).second) << "a number is used twice";
      sums_.insert(sum);
    } else if (const auto* open = std::get_if<OpenUpdate>(&effect)) {
      EXPECT_TRUE(sums_.contains(open->ticket.sum)) << "its sum is not there";
      of_client_[open->ticket.client] = open->ticket.sum;
    } else if (const auto* count = std::get_if<CountUpdate>(&effect)) {
      EXPECT_TRUE(sums_.contains(of_client_.at(count->client))) << "its sum has ended";
    } else if (const auto* drop = std::get_if<DropSum>(&effect)) {
      sums_.erase(drop->sum);
    } else if (const auto* commit = std::get_if<CommitRound>(&effect)) {
      EXPECT_TRUE(sums_.erase(commit->opening->sum) == 1) << "a sum is made a model of that is not there";
      EXPECT_LE(commit->fetched.size(), 3U);
      EXPECT_GE(commit->record.arrivals.size(), 2U);
      for (const Arrival& arrival : commit->record.arrivals)
        EXPECT_TRUE(seen_.insert({arrival.client, arrival.base.value, arrival.task}).second)
            << arrival.client << " counts twice";
    }
    EXPECT_LE(sums_.size(), 3U) << "as many groups as there can be, and one whose model is made";
  }

 private:
  Spools spools_;
  std::set<SumNumber> sums_, ever_;
  std::map<std::string, SumNumber> of_client_;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> seen_;
};

class Storm {
 public:
  explicit Storm(std::uint64_t seed) : random_(seed), t_(config(random_, seed), names) {
    t_.watch = [this](const Effect& effect) { shell_.look(effect); };
    t_.verify = [this](const std::string& client) -> Result<void> {
      if (random_.chance(hostile_ ? 0.95 : 1)) return {};
      return fail(ErrorCode::protocol, client, "digest");
    };
  }

  void rage() {
    t_.connect_all();
    for (int step = 0; step < 500 && !::testing::Test::HasFailure(); ++step) {
      t_.h.now += std::chrono::milliseconds(random_.below(random_.chance(0.02) ? 12'000 : 300));
      act(names[random_.below(names.size())]);
      if (random_.chance(0.03)) t_.lose();
      else t_.drain();
    }
  }

  void expect_usable() {
    hostile_ = false;
    (void)t_.h.commit();
    t_.lose();
    for (auto& [name, device] : t_.all()) t_.h.apply(PeerGone{device.peer.peer});
    t_.lose();
    t_.h.advance(seconds(200));
    t_.lose();
    (void)t_.h.commit();
    t_.lose();
    const std::size_t before = t_.h.committed.size();
    t_.connect_all();
    for (int turn = 0; turn < 60 && t_.h.committed.size() == before; ++turn) {
      t_.h.advance(seconds(2));
      t_.drain();
      t_.train(names);
    }
    EXPECT_GT(t_.h.committed.size(), before) << "no model can be made after the storm";
  }
  [[nodiscard]] std::size_t models() const { return t_.h.committed.size(); }

 private:
  static CoordinatorConfig config(Random& random, std::uint64_t seed) {
    CoordinatorConfig c = grouped_config(names);
    c.settings.seed = seed;
    c.settings.cohort.quorum = random.chance(0.5) ? 1 : 0.5;
    c.settings.cohort.buffered.staleness_max = static_cast<std::uint32_t>(random.below(4));
    c.settings.cohort.buffered.concurrency = random.chance(0.3) ? 3 : 0;
    c.settings.limits.uploads_max = static_cast<std::uint32_t>(1 + random.below(3));
    return c;
  }

  void act(const std::string& name) {
    GroupedDevices::Device& device = t_.of(name);
    const TaskId task = random_.chance(0.8) ? device.task.task : TaskId(random_.next());
    const Digest setup = random_.chance(0.5) ? device.setup : t_.of(names[random_.below(names.size())]).setup;
    switch (random_.below(16)) {
      case 0: t_.h.apply(TickEvent{}); break;
      case 1:
        if (random_.chance(0.3)) t_.h.apply(PeerGone{device.peer.peer});
        break;
      case 2:
        if (random_.chance(0.3)) t_.connect(name);
        break;
      case 3:
        if (random_.chance(0.7)) (void)t_.h.commit();
        else if (!t_.h.committed.empty())
          t_.h.apply(SumRefused{t_.h.committed.back().round, "it is no sum of updates"});
        break;
      case 4: t_.h.say(device.peer, messages::Decline{task, {{ReasonCode::internal, {}}, ""}}); break;
      case 5: t_.h.say(device.peer, messages::KeyAdvert{task, setup, {}}); break;
      case 6: t_.h.say(device.peer, messages::EncryptedShares{task, setup, {}}); break;
      case 7: t_.h.say(device.peer, messages::UnmaskShares{task, setup, {}}); break;
      case 8: t_.h.say(device.peer, messages::UpdateChunk{task, 100 * random_.below(11)}, 100); break;
      case 9: {
        const Digest blobs[] = {t_.h.config.model.archive, t_.h.coordinator.model(), sha256("no such")};
        t_.h.say(device.peer, messages::Pull{blobs[random_.below(3)], random_.below(900),
                                             static_cast<std::uint32_t>(1 + random_.below(1'600))});
        break;
      }
      case 10: t_.h.say(device.peer, messages::Ping{task}); break;
      case 11:
        t_.h.apply(TickEvent{});
        t_.h.advance(seconds(1));
        break;
      default: t_.train(name);
    }
  }

  Random random_;
  Shell shell_;
  GroupedDevices t_;
  bool hostile_ = true;
};

TEST(GroupedStorm, NeverCountsAnUpdateTwiceNeverLosesASumAndStaysUsable) {
  std::size_t models = 0;
  for (std::uint64_t seed = 0; seed < 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Storm storm(seed);
    storm.rage();
    if (!HasFailure()) storm.expect_usable();
    models += storm.models();
  }
  EXPECT_GT(models, 120U) << "the storms themselves make models";
}

}  // namespace
}  // namespace hansa::server::testing
