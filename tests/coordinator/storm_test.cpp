// Every phase x event pair, and storms of random and hostile messages: from a seed, with checkers outside.
#include <algorithm>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/coordinator/storm.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

// A harness whose coordinator is in this phase; a and b are connected.
struct InPhase {
  Harness h;
  Peer a;
  Peer b;
  explicit InPhase(Phase phase) : h(make_config(phase)), a(h.connect("a")), b(h.connect("b")) {
    if (phase == Phase::committing) {
      h.finish_task(a);
      h.finish_task(b);
    }
    if (phase == Phase::finished) h.apply(StopAsked{});
    EXPECT_EQ(h.coordinator.phase(), phase);
    h.forget();
  }
  static CoordinatorConfig make_config(Phase phase) {
    auto config = small_config();
    if (phase == Phase::gathering) config.settings.cohort.clients_min = 3;
    return config;
  }
};

std::vector<messages::ToAggregator> every_message(const InPhase& p) {
  return {messages::Hello{"harbour", p.a.instance, "hansa", {10, 0, {}, {}}},
          messages::Decline{p.h.task_of(p.a), {}},
          messages::Pull{p.h.config.model.archive, 0, 1},
          p.h.offer_of(p.a),
          messages::UpdateChunk{p.h.task_of(p.a), 0},
          messages::Ping{},
          messages::Pong{},
          messages::Bye{"bye"},
          messages::DataReport{10, 0},
          messages::KeyAdvert{},
          messages::EncryptedShares{},
          messages::SurvivorSignature{},
          messages::UnmaskShares{}};
}

// a: accepted, r: rejected, d: discarded, in the order of every_message (docs/round.md); last, a message that only an
// aggregator sends.
struct MessageRow {
  Phase phase;
  const char* verdicts;
};
const MessageRow message_table[] = {
    {Phase::gathering, "adaddaaaaddddr"},
    {Phase::in_round, "aaaaraaaaddddr"},
    {Phase::committing, "adaddaaaaddddr"},
    {Phase::finished, "ddaddaaaaddddr"},
};

TEST(CoordinatorTable, EveryPhaseAndMessageDoAsTheTableSays) {
  for (const auto& row : message_table) {
    const std::size_t count = every_message(InPhase(row.phase)).size();
    ASSERT_EQ(count, std::variant_size_v<messages::ToAggregator>);
    ASSERT_EQ(count + 1, std::string(row.verdicts).size());
    for (std::size_t i = 0; i <= count; ++i) {
      InPhase p(row.phase);
      const auto all = every_message(p);
      const bool has_bulk = i < count && std::holds_alternative<messages::UpdateChunk>(all[i]);
      const Verdict verdict = i < count ? p.h.say(p.a, all[i], has_bulk ? 100 : 0) : p.h.say_misdirected(p.a);
      const char letter = verdict == Verdict::accepted ? 'a' : verdict == Verdict::rejected ? 'r' : 'd';
      EXPECT_EQ(letter, row.verdicts[i]) << (i < count ? type_of(all[i]).name : "a misdirected message")
                                         << " in phase " << static_cast<int>(row.phase);
      EXPECT_GT(p.h.coordinator.next_tick(), p.h.now);
    }
  }
}

TEST(CoordinatorTable, EveryPhaseAndOtherEventDoAsTheTableSays) {
  const Error error{ErrorCode::protocol, "message", "is cut short", ""};
  struct Row {
    Phase phase;
    const char* verdicts;
  };
  // Malformed, PeerGone, UpdateChecked, RoundCommitted, Tick, Stop.
  const Row table[] = {{Phase::gathering, "raddaa"},
                       {Phase::in_round, "raddaa"},
                       {Phase::committing, "radaaa"},
                       {Phase::finished, "raddad"}};
  for (const auto& row : table) {
    for (std::size_t i = 0; i < 6; ++i) {
      InPhase p(row.phase);
      const std::vector<Event> events = {
          MessageMalformed{p.a.peer, "a", error},  PeerGone{p.a.peer}, UpdateChecked{"a", {}},
          RoundCommitted{RoundId(1), sha256("x")}, TickEvent{},        StopAsked{}};
      const Verdict verdict = p.h.apply(events[i]);
      const char letter = verdict == Verdict::accepted ? 'a' : verdict == Verdict::rejected ? 'r' : 'd';
      EXPECT_EQ(letter, row.verdicts[i]) << "event " << i << " in phase " << static_cast<int>(row.phase);
    }
  }
}

// What the shell would hold. It detects effects that the coordinator emits in the wrong order.
class Checker {
 public:
  explicit Checker(const CoordinatorConfig& config) : config_(config) {}

  void look(const std::vector<Effect>& effects) {
    for (const auto& effect : effects) {
      spools_.look(effect);
      if (std::holds_alternative<RoundStarted>(effect)) {
        sum_.clear();
      } else if (const auto* commit = std::get_if<CommitRound>(&effect)) {
        EXPECT_EQ(spools_.size(), 0U) << "a spool outlives its round";
        std::set<std::string> counted;
        for (const auto& p : commit->record.participations)
          if (p.outcome == Outcome::counted) counted.insert(p.client);
        EXPECT_EQ(counted, sum_) << "the record and the sum differ";
        EXPECT_GE(static_cast<double>(counted.size()),
                  config_.settings.cohort.quorum * static_cast<double>(commit->record.participations.size()) -
                      1e-9);
        EXPECT_TRUE(checks().empty()) << "a round is sealed while an update is checked";
      }
    }
    EXPECT_LE(spools_.size(), 8U);
  }
  void counted(const std::string& client) {
    EXPECT_TRUE(sum_.insert(client).second) << client << " counts twice";
  }
  std::vector<std::string>& checks() { return spools_.checks; }  // to be answered

 private:
  CoordinatorConfig config_;
  Spools spools_;
  std::set<std::string> sum_;
};

// None: a message that only an aggregator sends.
std::optional<messages::ToAggregator> random_message(Random& random, const Harness& h, const Peer& from) {
  const TaskId task = random.chance(0.9) ? h.task_of(from) : TaskId(random.next());
  const Digest blobs[] = {h.config.model.archive, h.coordinator.model(), sha256("no such")};
  switch (random.below(14)) {
    case 0: return messages::Hello{"harbour", from.instance, "hansa", {random.below(12), 0, {}, {}}};
    case 1:
      return messages::Hello{
          random.chance(0.5) ? "harbour" : "lagoon", random.next(), "hansa", {5, 0, {}, {}}};
    case 2: return messages::Decline{task, {}};
    case 3:
      return messages::Pull{blobs[random.below(3)], random.below(1'100),
                            static_cast<std::uint32_t>(1 + random.below(1'600))};
    case 4:
    case 5:
    case 6: {
      auto offer = h.offer_of(from, static_cast<std::uint8_t>(random.below(2)));
      offer.task = task;
      if (random.chance(0.05)) offer.bytes = random.next() >> 24;
      if (random.chance(0.05)) offer.examples = random.next();
      return offer;
    }
    case 7:
    case 8:
    case 9: return messages::UpdateChunk{task, 100 * random.below(11)};
    case 10: return messages::Ping{task};
    case 11: return messages::Pong{random.chance(0.5) ? task : TaskId()};
    case 12:
      if (random.chance(0.3)) return messages::Bye{"bye"};
      return messages::Ping{};
    default:
      if (random.chance(0.3)) return std::nullopt;
      return messages::Pong{task};
  }
}

// Hostile and honest traffic of 6 identities on many connections, then one honest pass, which must succeed.
void storm(std::uint64_t seed, int& commits) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  auto config = small_config();
  config.settings.rounds = 1'000'000;
  config.settings.cohort.attempts_max = 1'000'000;
  config.settings.cohort.wait_max = std::chrono::hours(1'000);
  config.settings.cohort.quorum = 0.5;
  config.settings.cohort.fraction = random.chance(0.5) ? 1.0 : 0.6;
  config.settings.limits.uploads_max = static_cast<std::uint32_t>(1 + random.below(3));
  config.settings.seed = seed;
  Harness h(config);
  Checker checker(config);
  std::vector<Peer> peers = two_peers_each(h, {"a", "b", "c", "d", "e", "f"});
  const auto drain = [&] {
    checker.look(h.effects);
    adopt_sessions(peers, h.effects);
    h.forget();
  };
  const auto answer_check = [&](bool sound) {
    const std::string client = checker.checks().front();
    checker.checks().erase(checker.checks().begin());
    if (sound) checker.counted(client);
    h.check(client, sound ? Result<void>() : Result<void>(fail(ErrorCode::protocol, client, "digest")));
    drain();
  };
  for (int step = 0; step < 600; ++step) {
    h.now += std::chrono::milliseconds(random.below(random.chance(0.02) ? 20'000 : 300));
    Peer& from = peers[random.below(peers.size())];
    switch (random.below(12)) {
      case 0: h.apply(TickEvent{}); break;
      case 1:
        if (random.chance(0.2)) h.apply(PeerGone{from.peer});
        break;
      case 2:
      case 3:
        if (!checker.checks().empty()) answer_check(random.chance(0.8));
        break;
      case 4:
        if (h.coordinator.phase() == Phase::committing) h.commit();
        break;
      case 5: {  // an honest client among the hostile ones
        h.hello(from);
        if (h.say(from, h.offer_of(from)) != Verdict::accepted) break;
        const auto grants = h.sent<messages::Grant>(from);
        if (!grants.empty()) h.upload(from, grants[0].offset);
        break;
      }
      default: {
        const auto message = random_message(random, h, from);
        if (!message) {
          h.say_misdirected(from);
          break;
        }
        const bool chunk = std::holds_alternative<messages::UpdateChunk>(*message);
        const std::uint64_t bulk = chunk                 ? random.chance(0.9) ? 100 : random.below(200)
                                                   : random.chance(0.02) ? 7
                                                         : 0;
        h.say(from, *message, bulk);
      }
    }
    drain();
    if (::testing::Test::HasFailure()) return;
  }
  // The storm is over: new connections of well-behaved clients must be able to finish a round.
  while (!checker.checks().empty()) answer_check(true);
  h.commit();
  drain();
  for (auto& peer : peers) h.apply(PeerGone{peer.peer});
  h.advance(config.settings.cohort.deadline + seconds(120));
  drain();
  h.commit();
  drain();
  const std::size_t before = h.committed.size();
  std::vector<Peer> good;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) good.push_back(h.connect(name));
  for (int turn = 0; turn < 40 && h.committed.size() == before; ++turn) {
    for (auto& peer : good) h.say(peer, messages::Pong{});
    drain();
    for (auto& peer : good) {
      if (h.say(peer, h.offer_of(peer)) != Verdict::accepted) continue;
      h.upload(peer);
      drain();
      while (!checker.checks().empty()) answer_check(true);
    }
    h.advance(seconds(5));
  }
  drain();
  EXPECT_GT(h.committed.size(), before) << "a good round cannot get through after the storm";
  commits += static_cast<int>(h.committed.size());
}

TEST(CoordinatorStorm, NeverCommitsTooFewNeverLosesASlotAndStaysUsable) {
  int commits = 0;
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) storm(seed, commits);
  EXPECT_GT(commits, 400) << "the storms themselves reach commits";
}

}  // namespace
}  // namespace hansa::server::testing
