// What the agent's lines in the log say about themselves. Harness::apply compares every line of every test with the
// table of events.
#include <gtest/gtest.h>

#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

Log line_of(const Harness& h, LogEvent event) {
  std::vector<Log> lines = h.all<Log>();
  std::erase_if(lines, [&](const Log& line) { return line.event != event; });
  EXPECT_EQ(lines.size(), 1U) << name(event);
  return lines.empty() ? Log{} : lines.front();
}

TEST(AgentLog, LinesNameTheRoundOfTheTaskAndThePhase) {
  Harness h;
  EXPECT_EQ(h.agent.phase(), "offline");
  h.go_online();
  EXPECT_EQ(line_of(h, LogEvent::link_connected).phase, "greeting");
  EXPECT_EQ(line_of(h, LogEvent::link_connected).round, std::nullopt);
  EXPECT_EQ(h.agent.phase(), "idle");

  const messages::TrainTask task = h.make_task();
  h.train(task);
  EXPECT_EQ(line_of(h, LogEvent::task_received).round, task.round);
  EXPECT_EQ(h.agent.phase(), "training");
  EXPECT_EQ(h.agent.current_round(), task.round);
  h.end_training(task);
  EXPECT_EQ(h.agent.phase(), "offering");
  h.receive(messages::Grant{task.task, 0, 400});
  EXPECT_EQ(line_of(h, LogEvent::update_sent).round, task.round);
  EXPECT_EQ(h.agent.phase(), "uploading");
  h.receive(messages::Receipt{task.task, messages::Verdict::counted, ""});
  EXPECT_EQ(line_of(h, LogEvent::update_counted).phase, "uploading");
  EXPECT_EQ(line_of(h, LogEvent::update_counted).round, task.round);
  EXPECT_EQ(h.agent.phase(), "idle");
  EXPECT_EQ(h.agent.current_round(), std::nullopt);
}

TEST(AgentLog, ALostLinkIsOfThePhaseThatItInterrupts) {
  Harness h;
  h.go_online();
  const messages::TrainTask task = h.make_task();
  h.train(task);
  h.apply(LinkDown{Error{ErrorCode::network, "tcp://127.0.0.1:1", "was closed", {}}});
  const Log lost = line_of(h, LogEvent::link_lost);
  EXPECT_EQ(lost.phase, "training");
  EXPECT_EQ(lost.round, task.round);
  EXPECT_EQ(h.agent.phase(), "offline");
  EXPECT_EQ(h.agent.current_round(), task.round) << "its training continues";
}

}  // namespace
}  // namespace hansa::client::testing
