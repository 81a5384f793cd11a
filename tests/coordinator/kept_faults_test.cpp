// The faults of clients outlive the coordinator, and the operator can forgive them.
#include <algorithm>

#include <gtest/gtest.h>

#include "server/selection/reliability.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

CoordinatorConfig three_clients(std::vector<FaultRecord> faults = {}) {
  CoordinatorConfig config = small_config();
  config.settings.cohort.clients_min = 2;
  config.settings.cohort.clients_expected = 3;
  config.settings.rounds = 100;
  config.process.faults = std::move(faults);
  return config;
}

struct Federation {
  explicit Federation(CoordinatorConfig config) : h(std::move(config)) {
    for (const char* const name : {"a", "b", "c"}) peers.push_back(h.connect(name));
  }
  [[nodiscard]] bool has(const std::string& name) const {
    const auto members = h.coordinator.progress(h.now).members;
    return std::ranges::any_of(members, [&](const auto& m) { return m.client == name; });
  }
  // Until the next round runs.
  void start_round() {
    for (int i = 0; i < 100 && h.coordinator.phase() != Phase::in_round; ++i) pass_second();
    ASSERT_EQ(h.coordinator.phase(), Phase::in_round);
  }
  // With everybody connected.
  void pass_second() {
    for (const Peer& peer : peers) h.say(peer, messages::Pong{});
    h.advance(seconds(1));
  }
  void finish_round() {
    collect_lines();  // finish_task() forgets them
    for (const Peer& peer : peers)
      if (has(peer.name)) h.finish_task(peer);
    ASSERT_EQ(h.commit(), Verdict::accepted);
    collect_lines();
  }
  void collect_lines() {
    for (const Log& line : h.all<Log>()) lines.push_back(line.text);
  }
  Harness h;
  std::vector<Peer> peers;
  std::vector<std::string> lines;
};

TEST(KeptFaults, AClientThatIsLeftOutStaysLeftOutInTheNextProcess) {
  Federation first(three_clients());
  first.start_round();
  ASSERT_TRUE(first.has("c"));
  first.h.finish_task(first.peers[0]);
  first.h.finish_task(first.peers[1]);
  for (int i = 0; i < 70; ++i) first.pass_second();  // past the deadline
  const auto faults = first.h.coordinator.faults(first.h.now);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].client, "c");
  EXPECT_EQ(faults[0].faults, 1U);
  EXPECT_GT(faults[0].rest_left, Duration::zero());

  Federation next(three_clients(faults));
  next.start_round();
  EXPECT_TRUE(next.has("a"));
  EXPECT_FALSE(next.has("c"));
  EXPECT_EQ(next.h.coordinator.progress(next.h.now).left_out.size(), 1U);
}

TEST(KeptFaults, ARestThatEndsAfterTheStartIsReported) {
  Federation f(three_clients({{"c", 2, 0, seconds(30)}}));
  f.start_round();
  EXPECT_FALSE(f.has("c"));
  f.finish_round();
  for (int i = 0; i < 40; ++i) {
    if (f.h.coordinator.phase() == Phase::in_round) f.finish_round();
    f.pass_second();
  }
  f.start_round();
  EXPECT_TRUE(f.has("c"));
  EXPECT_NE(std::ranges::find(f.lines, "c may take part in cohorts again"), f.lines.end());
}

TEST(KeptFaults, AForgivenClientIsInTheNextCohort) {
  Federation f(three_clients({{"c", 7, 3, hours(20)}}));
  f.start_round();
  EXPECT_FALSE(f.has("c"));
  EXPECT_EQ(f.h.apply(FaultsForgiven{{"c"}}), Verdict::accepted);
  EXPECT_EQ(f.h.apply(FaultsForgiven{{"c"}}), Verdict::discarded) << "it has none any more";
  EXPECT_TRUE(f.h.coordinator.faults(f.h.now).empty());
  f.finish_round();
  f.start_round();
  EXPECT_TRUE(f.has("c"));
}

TEST(KeptFaults, ARecordGivesNoLongerRestThanAFault) {
  Reliability reliability;
  const Instant now(hours(1));
  const std::vector<FaultRecord> records{
      {"a", 9, 400, hours(1'000)}, {"b", 1, 9, seconds(-5)}, {"c", 0, 1, hours(1)}};
  reliability.restore(records, now);
  EXPECT_EQ(reliability.rest_left("a", now), hours(24));
  EXPECT_EQ(reliability.faults("a"), 9U);
  EXPECT_FALSE(reliability.rests("b", now));
  EXPECT_FALSE(reliability.rests("c", now)) << "a client without faults is not left out";
  reliability.on_counted("b");
  EXPECT_EQ(reliability.faults("b"), 0U) << "the counted rounds before the restart count";
}

TEST(KeptFaults, RecordsAreWhatRestoreTakes) {
  Reliability before, after;
  const Instant now(hours(1));
  (void)before.on_fault("a", seconds(10), now);
  (void)before.on_fault("b", seconds(50), now);
  before.on_counted("b");
  const Instant later = now + seconds(4);
  after.restore(before.records(later), later);
  EXPECT_EQ(after.rest_left("a", later), seconds(6));
  const auto records = after.records(later);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].client, "b");
  EXPECT_EQ(records[1].counted_in_a_row, 1U);
}

}  // namespace
}  // namespace hansa::server::testing
