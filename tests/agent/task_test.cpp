// Tasks through sessions: fetched, trained, offered, replaced, resumed.
#include <gtest/gtest.h>

#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

using round::TaskState;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Error cut{ErrorCode::network, "tcp://here:1", "the connection was cut", ""};

TEST(Task, RunsFromTheArchiveToTheReceipt) {
  Harness h;
  h.go_online();
  const auto task = h.make_task();
  h.receive(task);
  ASSERT_EQ(h.all<FindArchive>().size(), 1U);
  h.apply(ArchiveLookedUp{round::ArchiveCache::absent});
  EXPECT_EQ(h.sent<messages::Pull>().at(0).blob, task.archive);
  for (std::uint64_t offset = 0; offset < 250; offset += 100)
    h.receive(messages::BlobChunk{task.archive, offset}, std::min<std::uint64_t>(100, 250 - offset));
  ASSERT_EQ(h.all<VerifyBlob>().size(), 1U);
  EXPECT_EQ(h.all<VerifyBlob>()[0].blob, task.archive);
  h.apply(BlobChecked{task.archive, true});
  for (std::uint64_t offset = 0; offset < 400; offset += 100)
    h.receive(messages::BlobChunk{model_of(task).vector, offset}, 100);
  for (const auto& keep : h.all<KeepChunk>())
    EXPECT_TRUE(keep.blob == task.archive || keep.blob == model_of(task).vector);
  EXPECT_EQ(h.all<KeepChunk>().size(), 7U);
  h.apply(BlobChecked{model_of(task).vector, true});
  ASSERT_EQ(h.all<StartTraining>().size(), 1U);
  h.end_training(task);
  EXPECT_EQ(h.sent<messages::Offer>().size(), 1U);
  h.receive(messages::Grant{task.task, 0, 400});
  EXPECT_EQ(h.all<SendUpdateRange>().size(), 4U);
  h.receive(messages::Receipt{task.task, messages::Verdict::counted, ""});
  EXPECT_EQ(h.agent.task()->state(), TaskState::counted);
}

TEST(Task, AnotherTaskDuringTheTrainingReplacesIt) {
  Harness h;
  h.train(h.make_task(1));
  h.forget();
  h.receive(h.make_task(2));
  EXPECT_EQ(h.all<StopTraining>().size(), 1U);
  h.apply(ArchiveLookedUp{round::ArchiveCache::present});
  EXPECT_EQ(h.agent.task()->task().task, TaskId(2));
  h.forget();
  h.end_training(h.make_task(1));
  EXPECT_TRUE(h.sent<messages::Offer>().empty()) << "the old training's end is not the new one's";
}

TEST(Task, TheTrainingContinuesThroughAReconnectAndIsOfferedInTheNewSession) {
  Harness h;
  const auto task = h.make_task();
  h.train(task);
  h.apply(LinkDown{cut});
  h.forget();
  h.go_online();
  h.receive(task);
  EXPECT_TRUE(h.all<StartTraining>().empty());
  EXPECT_TRUE(h.all<StopTraining>().empty());
  EXPECT_TRUE(h.all<FindArchive>().empty());
  h.end_training(task);
  ASSERT_EQ(h.sent<messages::Offer>().size(), 1U);
  EXPECT_EQ(h.all<Send>().back().session, h.session);
}

TEST(Task, ATrainingThatEndsOfflineIsOfferedWhenItsTaskComesAgain) {
  Harness h;
  const auto task = h.make_task();
  h.train(task);
  h.apply(LinkDown{cut});
  h.end_training(task);
  EXPECT_TRUE(h.sent<messages::Offer>().empty());
  h.go_online();
  EXPECT_TRUE(h.sent<messages::Offer>().empty()) << "the aggregator may have moved on: it says what to do";
  h.receive(task);
  EXPECT_EQ(h.sent<messages::Offer>().size(), 1U);
}

TEST(Task, AFetchResumesAtItsOffset) {
  Harness h;
  h.go_online();
  const auto task = h.make_task();
  h.receive(task);
  h.apply(ArchiveLookedUp{round::ArchiveCache::present});
  h.receive(messages::BlobChunk{model_of(task).vector, 0}, 100);
  h.apply(LinkDown{cut});
  h.go_online();
  h.forget();
  h.receive(task);
  ASSERT_EQ(h.sent<messages::Pull>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Pull>()[0].offset, 100U);
}

TEST(Task, MessagesOfAnotherSessionAreIgnored) {
  Harness h;
  h.go_online();
  const SessionId old_one = h.session;
  h.apply(LinkDown{cut});
  h.go_online();
  h.forget();
  h.receive(old_one, h.make_task());
  h.receive(SessionId(999), messages::Ping{});
  EXPECT_TRUE(h.effects.empty());
  EXPECT_FALSE(h.agent.task());
}

TEST(Task, AStalledTransferStartsANewSession) {
  Harness h;
  h.go_online();
  const auto task = h.make_task();
  h.receive(task);
  h.apply(ArchiveLookedUp{round::ArchiveCache::present});
  h.forget();
  const Duration stall = Harness::small_config().stall_max;
  for (Duration waited{}; waited < stall; waited += seconds(10)) {
    EXPECT_TRUE(h.sent<messages::Hello>().empty());
    h.receive(messages::Pong{});  // it is alive, but sends nothing else
    h.advance(seconds(10));
  }
  EXPECT_EQ(h.sent<messages::Hello>().size(), 1U);
  EXPECT_EQ(h.agent.state(), LinkState::greeting);
  EXPECT_TRUE(h.all<CloseLink>().empty());
}

TEST(Task, TrainingIsNotAStalledTransfer) {
  Harness h;
  h.train(h.make_task());
  h.forget();
  for (int i = 0; i < 60; ++i) {
    h.receive(messages::Pong{});
    h.advance(seconds(10));
  }
  EXPECT_TRUE(h.sent<messages::Hello>().empty());
  ASSERT_FALSE(h.sent<messages::Ping>().empty());
  EXPECT_EQ(h.sent<messages::Ping>()[0].task, TaskId(1)) << "says what it is at";
}

TEST(Task, AnInvalidOrTooLargeTaskIsDeclined) {
  const auto declined = [](auto change) {
    Harness h;
    h.go_online();
    auto task = h.make_task();
    change(task);
    h.receive(task);
    EXPECT_EQ(h.sent<messages::Decline>().size(), 1U);
    EXPECT_TRUE(h.all<FindArchive>().empty());
    EXPECT_FALSE(h.agent.task());
  };
  declined([](auto& task) { task.inputs[0].bytes = (4ULL << 30) + 4; });
  declined([](auto& task) { task.archive_bytes = (4ULL << 30) + 1; });
  declined([](auto& task) { task.inputs[0].bytes = 401; });
  declined([](auto& task) { task.inputs[0].bytes = 0; });
  // The shell distinguishes blobs by their digests. If two blobs of different sizes had one digest, it would write
  // beyond the smaller one.
  declined([](auto& task) { task.archive = task.inputs[0].vector; });
}

TEST(Task, AFailedTrainingIsDeclinedWithItsReason) {
  Harness h;
  h.train(h.make_task());
  h.apply(TrainingEnded{
      TaskId(1), fail(ErrorCode::model, "model.pt", "the loss is NaN", {}, {ReasonCode::diverged, {}})});
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Decline>()[0].report, (messages::Report{{ReasonCode::diverged, {}}, {}}));
}

TEST(Task, CancelStopsTheTrainingOfThatTaskOnly) {
  Harness h;
  h.train(h.make_task());
  h.forget();
  h.receive(messages::Cancel{TaskId(9), "closed"});
  EXPECT_TRUE(h.all<StopTraining>().empty());
  h.receive(messages::Cancel{TaskId(1), "closed"});
  EXPECT_EQ(h.all<StopTraining>().size(), 1U);
  EXPECT_EQ(h.agent.task()->state(), TaskState::dropped);
}

TEST(Task, AMissingBlobDropsAFetchButNotAFinishedUpdate) {
  Harness fetching;
  fetching.go_online();
  const auto task = fetching.make_task();
  fetching.receive(task);
  fetching.apply(ArchiveLookedUp{round::ArchiveCache::present});
  fetching.receive(messages::Missing{model_of(task).vector});
  EXPECT_EQ(fetching.agent.task()->state(), TaskState::dropped);
  Harness offering;
  offering.train(task);
  offering.end_training(task);
  offering.receive(messages::Missing{model_of(task).vector});
  EXPECT_EQ(offering.agent.task()->state(), TaskState::offering);
}

TEST(Task, ARejectedUpdateIsLogged) {
  Harness h;
  h.train(h.make_task());
  h.end_training(h.make_task());
  h.forget();
  h.receive(messages::Receipt{TaskId(1), messages::Verdict::rejected, "a value is too large"});
  ASSERT_EQ(h.all<Log>().size(), 1U);
  EXPECT_EQ(h.all<Log>()[0].level, Log::Level::error);
  EXPECT_NE(h.all<Log>()[0].text.find("a value is too large"), std::string::npos);
}

TEST(Task, ADamagedModelIsFetchedAgain) {
  Harness h;
  h.go_online();
  const auto task = h.make_task();
  h.receive(task);
  h.apply(ArchiveLookedUp{round::ArchiveCache::present});
  for (std::uint64_t offset = 0; offset < 400; offset += 100)
    h.receive(messages::BlobChunk{model_of(task).vector, offset}, 100);
  h.forget();
  h.apply(BlobChecked{model_of(task).vector, false});
  ASSERT_EQ(h.sent<messages::Pull>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Pull>()[0].offset, 0U);
  EXPECT_TRUE(h.all<StartTraining>().empty());
}

}  // namespace
}  // namespace hansa::client::testing
