// The client's fetch of the last model.
#include <gtest/gtest.h>

#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

AgentConfig serving_config() {
  AgentConfig config = Harness::small_config();
  config.last_model = LastModelWanted::yes;
  return config;
}

struct Fetch {
  Fetch() {
    h.go_online();
    task = h.make_task();
    h.train(task);
    h.end_training(task);
    h.forget();
    h.receive(messages::Finished{RoundId(7), model});
  }
  std::uint64_t bytes() const { return messages::model_of(task).bytes; }

  Harness h = Harness(serving_config());
  messages::TrainTask task;
  Digest model = sha256("the last model");
};

TEST(LastModel, IsFetchedBeforeTheClientLeaves) {
  Fetch f;
  EXPECT_TRUE(f.h.all<Exit>().empty());
  std::uint64_t at = 0;
  while (at < f.bytes() && f.h.agent.state() == LinkState::online) {
    const std::uint64_t chunk = std::min<std::uint64_t>(chunk_bytes, f.bytes() - at);
    f.h.receive(messages::BlobChunk{f.model, at}, chunk);
    at += chunk;
  }
  std::uint64_t pulled = 0;
  for (const messages::Pull& pull : f.h.sent<messages::Pull>()) {
    EXPECT_EQ(pull.blob, f.model);
    EXPECT_EQ(pull.offset, pulled);
    pulled += pull.bytes;
  }
  EXPECT_EQ(pulled, f.bytes());
  const auto served = f.h.all<ServeLastModel>();
  ASSERT_EQ(served.size(), 1U);
  EXPECT_EQ(served[0].round, RoundId(7));
  EXPECT_EQ(served[0].model, f.model);
  EXPECT_EQ(served[0].task->task, f.task.task);
  EXPECT_EQ(f.h.sent<messages::Bye>().size(), 1U);
  ASSERT_EQ(f.h.all<Exit>().size(), 1U);
  EXPECT_EQ(f.h.all<Exit>()[0].why, Exit::Why::finished);
}

TEST(LastModel, AChunkOutOfOrderOrTooLargeIsIgnored) {
  Fetch f;
  f.h.receive(messages::BlobChunk{f.model, 100}, 100);
  f.h.receive(messages::BlobChunk{f.model, 0}, f.bytes() + 1);
  f.h.receive(messages::BlobChunk{f.model, 0}, 0);
  EXPECT_TRUE(f.h.all<KeepLastModel>().empty());
}

TEST(LastModel, AMissingModelOrALostSessionEndsTheClientWithAWarning) {
  Fetch missing;
  missing.h.receive(messages::Missing{missing.model});
  EXPECT_EQ(missing.h.all<Exit>().size(), 1U);
  Fetch lost;
  lost.h.apply(LinkDown{Error{ErrorCode::network, "", "the connection ended", ""}});
  EXPECT_EQ(lost.h.all<Exit>().size(), 1U);
  Fetch silent;
  silent.h.advance(std::chrono::seconds(120));
  EXPECT_EQ(silent.h.all<Exit>().size(), 1U);
  for (const Fetch* f : {&missing, &lost, &silent}) {
    EXPECT_TRUE(f->h.all<ServeLastModel>().empty());
    bool warned = false;
    for (const Log& log : f->h.all<Log>())
      warned |= log.text.find("the last model could not be fetched") != std::string::npos;
    EXPECT_TRUE(warned);
  }
}

TEST(LastModel, AClientThatHadNoTaskOrServesNobodyLeavesAtOnce) {
  Harness fresh(serving_config());
  fresh.go_online();
  fresh.receive(messages::Finished{RoundId(7), sha256("the last model")});
  EXPECT_EQ(fresh.all<Exit>().size(), 1U);
  Harness other;
  other.go_online();
  other.forget();
  other.receive(messages::Finished{RoundId(7), sha256("the last model")});
  EXPECT_TRUE(other.sent<messages::Pull>().empty());
  EXPECT_EQ(other.sent<messages::Bye>().size(), 1U);
}

TEST(Refusals, ADeviceThatWaitsForItsCertificateLogsTheReasonOnce) {
  Harness h;
  for (int i = 0; i < 10; ++i) {
    h.go_online();
    h.receive(SessionId(), messages::Refuse{messages::RefuseReason::federation,
                                            "not certified for federation f", "the operator runs x", 20'000});
    EXPECT_EQ(h.agent.state(), LinkState::offline);
  }
  int lines = 0, connections = 0;
  for (const Log& log : h.all<Log>()) {
    if (log.text.find("not certified for federation f") != std::string::npos) ++lines;
    if (log.level == Log::Level::info && log.text.starts_with("connected")) ++connections;
  }
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(connections, 1);
}

}  // namespace
}  // namespace hansa::client::testing
