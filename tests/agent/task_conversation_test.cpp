// The conversation about a task alone: the messages that it sends depend on whether the aggregator has sent the task in
// this session.
#include "client/agent/task_conversation.h"

#include <gtest/gtest.h>

#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

enum class Stage { none, awaited, unconfirmed, confirmed };

struct Bench {
  Instant now{std::chrono::hours(1)};
  std::vector<Effect> effects;
  Session session{Harness::small_config(), now};
  TaskConversation conversation;
  messages::TrainTask task = Harness().make_task();

  explicit Bench(Stage stage) {
    session.tick({}, now, effects);
    session.link_up(now, effects);
    session.welcomed(SessionId(7), {"a", "run", lease_ms, chunk_bytes}, now, effects);
    if (stage != Stage::none) conversation.await(task, effects);
    if (stage == Stage::unconfirmed || stage == Stage::confirmed)
      conversation.begin({round::ArchiveCache::present, {}}, chunk_bytes);
    if (stage == Stage::confirmed) conversation.confirm();
    effects.clear();
  }
  void apply(const round::TaskEvent& event) { conversation.apply(event, session, now, effects); }
  template <class T>
  [[nodiscard]] std::size_t count() const {
    std::size_t out = 0;
    for (const auto& effect : effects) out += std::holds_alternative<T>(effect) ? 1 : 0;
    return out;
  }
};

struct Row {
  Stage stage;
  bool current;  // the task is the current one, and continues
  bool awaited;
  bool pulls;  // its messages are sent
  Activity activity;
};
const Row table[] = {{Stage::none, false, false, false, Activity::idle},
                     {Stage::awaited, false, true, false, Activity::idle},
                     {Stage::unconfirmed, true, false, false, Activity::idle},
                     {Stage::confirmed, true, false, true, Activity::transferring}};

TEST(TaskConversationTable, EachStageAnswersAndSpeaksAsTheTableSays) {
  for (const Row& row : table) {
    SCOPED_TRACE(static_cast<int>(row.stage));
    Bench b(row.stage);
    EXPECT_EQ(b.conversation.continues(b.task), row.current);
    EXPECT_EQ(b.conversation.is_current(b.task.task), row.current);
    EXPECT_FALSE(b.conversation.is_current(TaskId(99)));
    EXPECT_EQ(b.conversation.awaited() != nullptr, row.awaited);
    EXPECT_EQ(b.conversation.work().activity, row.activity);
    b.apply(round::SessionOpened{chunk_bytes});
    EXPECT_EQ(b.count<Send>(), row.pulls ? 1U : 0U);
    b.apply(round::TrainingFailed{});
    EXPECT_EQ(b.count<Send>(), row.pulls ? 2U : 0U) << "a Decline";
    EXPECT_FALSE(b.conversation.continues(b.task)) << "declined";
  }
}

TEST(TaskConversation, AfterASessionItIsSilentUntilTheTaskIsConfirmed) {
  Bench b(Stage::confirmed);
  b.conversation.session_ended();
  b.apply(round::SessionOpened{chunk_bytes});
  EXPECT_EQ(b.count<Send>(), 0U);
  EXPECT_EQ(b.conversation.work().task, TaskId());
  b.conversation.confirm();
  b.apply(round::SessionOpened{chunk_bytes});
  EXPECT_EQ(b.count<Send>(), 1U);
  EXPECT_EQ(b.conversation.work().task, b.task.task);
}

TEST(TaskConversation, TheNextTaskTakesOverTheBlobThatHasArrivedInPart) {
  Bench b(Stage::confirmed);
  b.apply(round::SessionOpened{chunk_bytes});
  b.apply(round::ChunkArrived{b.task.inputs[0].vector, 0, 100});
  auto next = b.task;
  next.task = TaskId(2);
  b.apply(round::CancelArrived{});
  b.conversation.await(next, b.effects);
  b.conversation.begin({round::ArchiveCache::present, {}}, chunk_bytes);
  b.effects.clear();
  b.apply(round::SessionOpened{chunk_bytes});
  ASSERT_EQ(b.count<Send>(), 1U);
  EXPECT_EQ(std::get<messages::Pull>(std::get<Send>(b.effects[0]).message).offset, 100U);
}

}  // namespace
}  // namespace hansa::client::testing
