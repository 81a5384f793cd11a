// The Receipt of a client's last update that counted is repeated in each session, before its next task: a client that died
// before the first one learns that what it has staged is to be applied.
#include <gtest/gtest.h>

#include "tests/coordinator/secure_rounds.h"

namespace hansa::server::testing {
namespace {

// What was sent to this connection since the last forget(): the tasks of Receipts "counted", then those of TrainTasks. Fails
// if a Receipt comes after a TrainTask.
struct Told {
  std::vector<TaskId> counted, to_train;
};
Told told(const Harness& h, const Peer& peer) {
  Told out;
  for (const Effect& effect : h.effects) {
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr || send->peer != peer.peer) continue;
    if (const auto* receipt = std::get_if<messages::Receipt>(&send->message)) {
      EXPECT_EQ(receipt->verdict, messages::Verdict::counted);
      EXPECT_TRUE(out.to_train.empty()) << "it would train from the state before that update";
      out.counted.push_back(receipt->task);
    }
    if (const auto* task = std::get_if<messages::TrainTask>(&send->message))
      out.to_train.push_back(task->task);
  }
  return out;
}

Peer restart(Harness& h, const Peer& before) {
  h.apply(PeerGone{before.peer});
  h.forget();
  return h.connect(before.name);
}

TEST(Receipts, TheLastCountedUpdateIsNamedInEachNewSession) {
  Harness h(small_config());
  Peer a = h.connect("a");
  Peer b = h.connect("b");
  const TaskId first = h.task_of(a);
  EXPECT_TRUE(told(h, a).counted.empty()) << "nothing of it has counted";
  h.finish_task(a);
  a = restart(h, a);
  EXPECT_EQ(told(h, a).counted, std::vector{first}) << "in the round that is not yet committed";
  EXPECT_TRUE(told(h, a).to_train.empty());
  h.finish_task(b);
  h.commit();
  a = restart(h, a);
  EXPECT_EQ(told(h, a).counted, std::vector{first});
  ASSERT_EQ(told(h, a).to_train.size(), 1U) << "the second round";
  const TaskId second = h.task_of(a);
  EXPECT_EQ(told(h, a).to_train[0], second);
  h.finish_task(a);
  a = restart(h, a);
  EXPECT_EQ(told(h, a).counted, std::vector{second});
}

TEST(Receipts, AfterTheLastRoundTheyComeBeforeTheDismissal) {
  RestoredState restored{"run-1", RoundId(3), sha256("model 3"), {sha256("model 3"), {}, {}}, {}};
  restored.counted = {{"a", {TaskId(7)}}};
  Harness h(small_config(), std::move(restored));
  h.apply(TickEvent{});
  ASSERT_EQ(h.coordinator.phase(), Phase::finished);
  const Peer a = h.connect("a");
  EXPECT_EQ(told(h, a).counted, std::vector{TaskId(7)});
  EXPECT_EQ(h.sent<messages::Finished>(a).size(), 1U);
}

TEST(Receipts, WhatCountedBeforeTheProcessIsNamedToo) {
  RestoredState restored{"run-1", RoundId(4), sha256("model 4"), {sha256("model 4"), {}, {}}, {}};
  restored.counted = {{"a", {TaskId(7)}}, {"b", {TaskId(8), TaskId(9)}}};
  Harness h(small_config(), std::move(restored));
  EXPECT_EQ(told(h, h.connect("a")).counted, std::vector{TaskId(7)});
  EXPECT_EQ(told(h, h.connect("b")).counted, (std::vector{TaskId(8), TaskId(9)}));
  EXPECT_TRUE(told(h, h.connect("c")).counted.empty());
}

TEST_F(SecureRounds, AnUpdateOfASecureSumIsNamedAfterItsCommitOnly) {
  begin();
  up_to_masked();
  for (const char* name : names) send_masked(name);
  for (const char* name : {"a", "b", "c"}) ASSERT_EQ(answer(name), Verdict::accepted);
  ASSERT_EQ(h->coordinator.phase(), Phase::committing);
  const TaskId task = of("d").task;
  Peer d = restart(*h, of("d").peer);
  EXPECT_TRUE(told(*h, d).counted.empty()) << "the sum is not committed";
  h->forget();
  ASSERT_EQ(h->commit(), Verdict::accepted);
  EXPECT_EQ(told(*h, d).counted, std::vector{task});
  d = restart(*h, d);
  EXPECT_EQ(told(*h, d).counted, std::vector{task});
}

}  // namespace
}  // namespace hansa::server::testing
