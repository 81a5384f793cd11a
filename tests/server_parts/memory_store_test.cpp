#include "server/store/memory_store.h"

#include <gtest/gtest.h>

#include "tests/server_parts/store_fixtures.h"

namespace hansa::server {
namespace {

TEST(MemoryStore, RemembersARunOnItsDisk) {
  const auto disk = std::make_shared<MemoryDisk>();
  {
    MemoryStore store(disk);
    EXPECT_FALSE(store.position()->has_value());
    ASSERT_TRUE(begin(store));
    EXPECT_EQ(store.position()->value().round, RoundId{0});
    ASSERT_TRUE(commit(store, 1));
    ASSERT_TRUE(commit(store, 2));
    ASSERT_TRUE(store.record_evaluation(RoundId{1}, {{"loss", 1, 2}}));
  }
  MemoryStore store(disk);
  ASSERT_TRUE(begin(store));
  const auto position = store.position()->value();
  EXPECT_EQ(position.round, RoundId{2});
  std::vector<float> model(18'000);
  ASSERT_TRUE(store.get_model(position.model, model));
  EXPECT_EQ(model, model_of(2));
  EXPECT_TRUE(
      same(store.round(RoundId{2})->value(), record_of(2, position.model, vector_digest(model_of(1)))));
  EXPECT_EQ(store.evaluation(RoundId{1})->value(), (Metrics{{"loss", 1, 2}}));
  EXPECT_FALSE(store.evaluation(RoundId{2})->has_value());
  EXPECT_FALSE(store.round(RoundId{3})->has_value());
}

TEST(MemoryStore, RefusesGapsUnknownModelsAndOtherRuns) {
  MemoryStore store(std::make_shared<MemoryDisk>());
  EXPECT_FALSE(store.commit_round(record_of(1, {}, {})));
  ASSERT_TRUE(begin(store));
  EXPECT_FALSE(commit(store, 2));
  EXPECT_FALSE(store.commit_round(record_of(1, sha256(std::string_view("unknown")), {})));
  EXPECT_FALSE(store.record_evaluation(RoundId{1}, {}));
  auto other = identity_of(model_of(0));
  other.seed = 3;
  EXPECT_FALSE(store.begin_run(other, model_of(0)));
  std::vector<float> model(17'999);
  EXPECT_FALSE(store.get_model(store.position()->value().model, model));
}

// Stops before each durable operation in turn. After the restart the store has the last committed round.
TEST(MemoryStore, ACrashBeforeAnyOperationLosesNoCommittedRound) {
  int stop_at = 0;
  bool stopped = true;
  while (stopped) {
    SCOPED_TRACE(stop_at);
    const auto disk = std::make_shared<MemoryDisk>();
    int steps = 0;
    stopped = false;
    std::uint32_t committed = 0;
    {
      MemoryStore store(disk, [&](std::string_view step) -> Result<void> {
        if (steps++ < stop_at) return {};
        stopped = true;
        return fail(ErrorCode::storage, std::string(step), "crashed");
      });
      if (begin(store))
        for (std::uint32_t round = 1; round <= 3 && commit(store, round); ++round) {
          committed = round;
          if (!store.record_evaluation(RoundId{round}, {{"loss", 1, 1}})) break;
        }
    }
    MemoryStore store(disk);
    ASSERT_TRUE(begin(store));
    ASSERT_EQ(store.position()->value().round, RoundId{committed});
    ASSERT_TRUE(commit(store, committed + 1));
    ++stop_at;
  }
  EXPECT_EQ(stop_at, 2 + 3 * 3 + 1);  // each operation was a possible crash
}

}  // namespace
}  // namespace hansa::server
