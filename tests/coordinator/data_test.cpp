// What the coordinator does with the clients' reports about their data.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using messages::DataReport;

std::size_t logged(const Harness& h, const std::string& text) {
  const auto logs = h.all<Log>();
  return static_cast<std::size_t>(std::count_if(
      logs.begin(), logs.end(), [&](const Log& log) { return log.text.find(text) != std::string::npos; }));
}

TEST(Data, AClientThatCannotTrainIsNotSelectedUntilItCan) {
  Harness h(small_config());
  const Peer a = h.connect("a", 0);
  const Peer b = h.connect("b");
  const Peer c = h.connect("c");
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 0U);
  EXPECT_EQ(h.sent<messages::TrainTask>(b).size(), 1U);
  h.say(a, DataReport{12, 12, "", ""});
  h.finish_task(b);
  h.finish_task(c);
  h.commit();
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 1U) << "the next round picks it";
}

TEST(Data, ProblemsAndNoticesAreReportedOnce) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  h.say(a, DataReport{0, 0, "data.csv:8: bad row", ""});
  h.say(a, DataReport{0, 0, "data.csv:8: bad row", ""});
  EXPECT_EQ(logged(h, "a cannot train: data.csv:8: bad row"), 1U);
  h.say(a, DataReport{5, 5, "", "set aside: state.sqlite"});
  EXPECT_EQ(logged(h, "a can train now, on 5 examples"), 1U);
  EXPECT_EQ(logged(h, "a: set aside: state.sqlite"), 1U);
  h.say(a, DataReport{6, 6, "rows.csv:9: bad row", ""});
  EXPECT_EQ(logged(h, "a has no more data coming: rows.csv:9: bad row"), 1U);
}

}  // namespace
}  // namespace hansa::server::testing
