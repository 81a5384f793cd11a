// What the coordinator's lines in the log say about themselves. Harness::apply compares every line of every test with
// the table of events.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

std::vector<Log> lines_of(const Harness& h, LogEvent event) {
  std::vector<Log> out = h.all<Log>();
  std::erase_if(out, [&](const Log& line) { return line.event != event; });
  return out;
}

TEST(CoordinatorLog, LinesNameTheRoundAndThePhaseInWhichTheyWereWritten) {
  Harness h(small_config());
  Peer a = h.connect("a");
  auto connected = lines_of(h, LogEvent::client_connected);
  ASSERT_EQ(connected.size(), 1U);
  EXPECT_EQ(connected[0].client, "a");
  EXPECT_EQ(connected[0].round, RoundId(1));
  EXPECT_EQ(connected[0].phase, "gathering");

  Peer b = h.connect("b");
  ASSERT_EQ(h.coordinator.phase(), Phase::in_round);
  h.finish_task(a);
  const auto counted = lines_of(h, LogEvent::update_counted);
  ASSERT_EQ(counted.size(), 1U);
  EXPECT_EQ(counted[0].client, "a");
  EXPECT_EQ(counted[0].phase, "training");
  EXPECT_EQ(counted[0].round, RoundId(1));

  // The line about the abandoned attempt is of the training that it ends.
  h.say(b, messages::Bye{});
  const auto lost = lines_of(h, LogEvent::client_lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].client, "b");
  EXPECT_EQ(lost[0].phase, "training");
  const auto abandoned = lines_of(h, LogEvent::round_abandoned);
  ASSERT_EQ(abandoned.size(), 1U);
  EXPECT_EQ(abandoned[0].phase, "training");
  EXPECT_EQ(abandoned[0].round, RoundId(1));
}

TEST(CoordinatorLog, TheNextRoundBeginsWithTheCommit) {
  Harness h(small_config());
  Peer a = h.connect("a"), b = h.connect("b");
  h.finish_task(a);
  h.finish_task(b);
  h.commit();
  h.forget();
  h.finish_task(a);
  const auto counted = lines_of(h, LogEvent::update_counted);
  ASSERT_EQ(counted.size(), 1U);
  EXPECT_EQ(counted[0].round, RoundId(2));
}

// Counted updates are lines of level debug, one for each round and client, and none of them makes others disappear.
TEST(CoordinatorLog, CountedUpdatesDoNotUseUpTheLinesOfAClient) {
  CoordinatorConfig config = small_config();
  config.settings.rounds = 100;
  Harness h(config);
  Peer a = h.connect("a"), b = h.connect("b");
  for (int round = 0; round < 50; ++round) {
    for (const Peer* peer : {&a, &b}) {
      h.finish_task(*peer);
      EXPECT_EQ(lines_of(h, LogEvent::update_counted).size(), 1U);
      EXPECT_TRUE(lines_of(h, LogEvent::lines_omitted).empty());
    }
    h.commit();
  }
  h.forget();
  h.say(a, messages::Bye{});
  EXPECT_EQ(lines_of(h, LogEvent::client_lost).size(), 1U);
}

}  // namespace
}  // namespace hansa::server::testing
