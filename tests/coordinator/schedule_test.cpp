// Rounds that wait for [schedule], and a run that ends because no further round is wanted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using messages::DataReport;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

ScheduleConfig every_hour() {
  ScheduleConfig out;
  out.every_s = 3600;
  return out;
}

struct ScheduledRounds : ::testing::Test {
  void connect(const ScheduleConfig& schedule) {
    CoordinatorConfig config = small_config();
    config.settings.schedule = schedule;
    config.settings.cohort.clients_expected = 2;
    config.settings.rounds = 0;
    config.process.lease = hours(10'000);
    config.process.time_of_day = [this] { return day; };
    h.emplace(config);
    for (const char* name : {"a", "b"}) peers.push_back(h->connect(name));
  }
  void pass(seconds time) {
    day.value += static_cast<std::uint64_t>(time.count());
    h->advance(time);
  }
  void finish_round() {
    ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
    for (const Peer& peer : peers) h->finish_task(peer);
    ASSERT_EQ(h->commit(), Verdict::accepted);
  }
  [[nodiscard]] std::string waits() const { return h->coordinator.progress(h->now).waits; }

  UtcSeconds day{1'000'000};
  std::optional<Harness> h;
  std::vector<Peer> peers;
};

TEST_F(ScheduledRounds, AreAtLeastThatFarApart) {
  connect(every_hour());
  finish_round();
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  EXPECT_FALSE(h->coordinator.progress(h->now).starts_at);
  pass(seconds(3500));
  EXPECT_THAT(waits(), HasSubstr("(schedule.every_s)"));
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  pass(seconds(110));
  finish_round();
}

TEST_F(ScheduledRounds, WaitForNewExamplesOfTheWholeFederation) {
  ScheduleConfig schedule;
  schedule.new_examples = 100;
  connect(schedule);
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  h->say(peers[0], DataReport{200, 60});
  pass(seconds(2));
  EXPECT_EQ(waits(), "for 100 new examples (60 now)");
  h->say(peers[1], DataReport{200, 40});
  pass(seconds(2));
  finish_round();
  pass(seconds(2));
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering)
      << "what was trained on is not new, whatever was reported before";
  EXPECT_EQ(waits(), "for 100 new examples (0 now)");
  h->say(peers[1], DataReport{300, 100});
  pass(seconds(2));
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
}

TEST_F(ScheduledRounds, AClockThatIsSetBackMakesThemWaitOnce) {
  connect(every_hour());
  finish_round();
  day.value -= 365 * 86'400 / 100;  // the clock was days ahead
  pass(seconds(10));
  EXPECT_EQ(h->coordinator.phase(), Phase::gathering);
  pass(seconds(3600));
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
}

TEST_F(ScheduledRounds, DataThatArrivesWhileTheRoundWaitsForOthersIsNew) {
  ScheduleConfig schedule;
  schedule.new_examples = 100;
  connect(schedule);
  h->say(peers[0], DataReport{200, 100});
  pass(seconds(2));
  ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
  h->finish_task(peers[0]);
  h->say(peers[0], DataReport{200, 0});
  h->say(peers[0], DataReport{300, 100});
  h->finish_task(peers[1]);
  ASSERT_EQ(h->commit(), Verdict::accepted);
  pass(seconds(2));
  EXPECT_EQ(h->coordinator.phase(), Phase::in_round);
}

TEST_F(ScheduledRounds, ALostRoundIsRepeatedWithoutWaitingAgain) {
  connect(every_hour());
  finish_round();
  pass(seconds(3600));
  pass(seconds(600));
  std::string log;
  for (const Log& line : h->all<Log>()) log += line.text + "\n";
  EXPECT_THAT(log, HasSubstr("round 2, attempt 2, is abandoned"));
}

TEST_F(ScheduledRounds, AreWithoutEndUntilEnoughIsReached) {
  connect({});
  for (int i = 0; i < 30; ++i) finish_round();
  EXPECT_TRUE(h->finished.empty());
  ASSERT_EQ(h->coordinator.phase(), Phase::in_round);
  EXPECT_EQ(h->apply(EnoughReached{"accuracy 0.95 is reached"}), Verdict::accepted);
  EXPECT_TRUE(h->finished.empty()) << "the current round is finished";
  finish_round();
  ASSERT_EQ(h->finished.size(), 1U);
  EXPECT_EQ(h->finished[0].why, Finish::Why::all_rounds) << "clients fetch the last model";
  EXPECT_EQ(h->finished[0].text, "accuracy 0.95 is reached");
}

}  // namespace
}  // namespace hansa::server::testing
