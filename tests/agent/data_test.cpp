// What the agent reports about its data, when it declines a task, and when examples are no longer new.
#include <gtest/gtest.h>

#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

using messages::DataReport;
using std::chrono::milliseconds;
using std::chrono::seconds;

const messages::Report skipped{{ReasonCode::record_skipped, {{Quantity::line, 9}}}, {}};
const messages::Report set_aside{{ReasonCode::state_set_aside, {}}, {}};
const Error cut{ErrorCode::network, "tcp://here:1", "the connection was cut", ""};

TEST(Data, IsReportedInHello) {
  Harness h;
  h.apply(DataKnown{{40, 7, {}, {skipped}}});
  EXPECT_TRUE(h.sent<DataReport>().empty()) << "nobody is there to hear it";
  h.reach_greeting();
  const auto hellos = h.sent<messages::Hello>();
  ASSERT_EQ(hellos.size(), 1U);
  EXPECT_EQ(hellos[0].data.examples, 40U);
  EXPECT_EQ(hellos[0].data.new_examples, 7U);
  EXPECT_EQ(hellos[0].data.notices, std::vector{skipped});
  h.go_online();
  h.forget();
  h.advance(seconds(3));
  EXPECT_TRUE(h.sent<DataReport>().empty()) << "the Hello told it";
}

TEST(Data, ChangesAreReportedAtMostOncePerIntervalAndTheLastReportIsTheNewest) {
  Harness h;
  h.go_online();
  h.advance(seconds(2));
  h.forget();
  h.apply(DataKnown{{1, 1}});
  ASSERT_EQ(h.sent<DataReport>().size(), 1U) << "the first at once";
  for (std::uint64_t n = 2; n <= 50; ++n) {
    h.advance(milliseconds(10));
    DataReport now{n, n};
    if (n == 20) now.notices = {skipped};
    if (n == 30) now.notices = {set_aside};
    h.apply(DataKnown{now});
  }
  EXPECT_EQ(h.sent<DataReport>().size(), 1U);
  h.advance(seconds(1));
  const auto reports = h.sent<DataReport>();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[1].examples, 50U);
  EXPECT_EQ(reports[1].notices, (std::vector{skipped, set_aside})) << "no notice is lost";
  h.apply(DataKnown{{50, 50}});
  h.advance(seconds(3));
  EXPECT_EQ(h.sent<DataReport>().size(), 2U) << "nothing changed";
}

TEST(Data, ANoticeWhoseHelloGotNoWelcomeIsSentAgain) {
  Harness h;
  h.apply(DataKnown{{1, 0, {}, {set_aside}}});
  h.reach_greeting();
  h.apply(LinkDown{cut});
  h.forget();
  h.reach_greeting();
  ASSERT_EQ(h.sent<messages::Hello>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Hello>()[0].data.notices, std::vector{set_aside});
}

TEST(Data, WithoutNewExamplesATaskIsDeclinedIfConfigured) {
  auto config = Harness::small_config();
  config.decline_without_new = true;
  Harness h(config);
  h.apply(DataKnown{{40, 0}});
  h.go_online();
  h.receive(h.make_task(1));
  const auto declines = h.sent<messages::Decline>();
  ASSERT_EQ(declines.size(), 1U);
  EXPECT_EQ(declines[0].task, TaskId(1));
  EXPECT_EQ(declines[0].report.reason.code, ReasonCode::nothing_new);
  EXPECT_TRUE(h.all<FindArchive>().empty());
  h.apply(DataKnown{{41, 1}});
  h.receive(h.make_task(2));
  EXPECT_EQ(h.all<FindArchive>().size(), 1U) << "with one new example it trains";
  EXPECT_EQ(h.sent<messages::Decline>().size(), 1U);
}

TEST(Data, IsNoLongerNewOnlyAfterTheUpdateWasCounted) {
  for (const auto verdict :
       {messages::Verdict::counted, messages::Verdict::rejected, messages::Verdict::late}) {
    Harness h;
    const auto task = h.make_task();
    h.train(task);
    h.end_training(task);
    EXPECT_TRUE(h.all<KeepCounted>().empty());
    h.receive(messages::Receipt{task.task, verdict, verdict == messages::Verdict::counted ? "" : "because"});
    const bool counted = verdict == messages::Verdict::counted;
    ASSERT_EQ(h.all<KeepCounted>().size(), counted ? 1U : 0U) << static_cast<int>(verdict);
  }
}

// The update was sent by an earlier process of this client, which died before it knew that it counts.
TEST(Data, AReceiptOfAnotherTaskIsPassedOnIfItSaysCounted) {
  Harness h;
  h.go_online();
  for (const auto verdict : {messages::Verdict::counted, messages::Verdict::rejected, messages::Verdict::late,
                             messages::Verdict::summed})
    h.receive(messages::Receipt{TaskId(77), verdict, ""});
  ASSERT_EQ(h.all<KeepCounted>().size(), 1U);
  EXPECT_EQ(h.all<KeepCounted>()[0].task, TaskId(77));
}

}  // namespace
}  // namespace hansa::client::testing
