// What every ledger must do, in memory and on a state: also after a restart of the device.
#include <functional>
#include <optional>

#include <gtest/gtest.h>

#include "client/ledger/caching_ledger.h"
#include "client/ledger/memory_ledger.h"
#include "client/state/state_ledger.h"
#include "common/random.h"
#include "tests/client_state/count.h"
#include "tests/data/data_files.h"

namespace hansa::client {
namespace {

using learning::KeptVectors;
using learning::testing::TemporaryFolder;

learning::KeptVector vector_of(float value) { return {Digest{}, {value, value + 1}}; }

// A device: its ledger, and what becomes of the ledger when the device restarts.
struct Device {
  virtual ~Device() = default;
  virtual DeviceLedger& ledger() = 0;
  virtual void restart() {}
};
struct MemoryDevice final : Device {
  DeviceLedger& ledger() override { return memory; }
  MemoryLedger memory;
};
struct StateDevice final : Device {
  StateDevice() { restart(); }
  DeviceLedger& ledger() override { return *state; }
  void restart() override {
    state.reset();
    auto store = StateStore::open(folder / "state");
    EXPECT_TRUE(store) << store.error().text();
    state = std::make_unique<StateLedger>(std::move(*store), ApplyOptions{});
  }
  TemporaryFolder folder;
  std::unique_ptr<StateLedger> state;
};
struct CachedDevice final : Device {
  explicit CachedDevice(bool with_restarts) : restarts(with_restarts) {}
  DeviceLedger& ledger() override { return *cache; }
  void restart() override {
    if (restarts) cache.emplace(durable);
  }
  const bool restarts;
  std::shared_ptr<MemoryLedger> durable = std::make_shared<MemoryLedger>();
  std::optional<CachingLedger> cache{durable};
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Device>()> make;
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};
class EveryLedger : public ::testing::TestWithParam<Kind> {
 protected:
  // Each call meets a device that was restarted, if it loses anything by that.
  void apply(std::uint64_t task, const KeptVectors& vectors) {
    device_->restart();
    const auto applied = testing::count(device_->ledger(), {TaskId(task), task, 0, vectors});
    ASSERT_TRUE(applied) << applied.error().text();
  }
  void stage(std::uint64_t task, const KeptVectors& vectors) {
    device_->restart();
    const auto staged = device_->ledger().stage({TaskId(task), task, 0, vectors});
    ASSERT_TRUE(staged) << staged.error().text();
  }
  bool apply_staged(std::uint64_t task) {
    device_->restart();
    const auto applied = device_->ledger().apply(TaskId(task));
    EXPECT_TRUE(applied) << applied.error().text();
    return applied && *applied;
  }
  KeptVectors find(std::uint64_t task, const std::string& scope) {
    device_->restart();
    auto found = device_->ledger().find(TaskId(task), scope);
    EXPECT_TRUE(found) << found.error().text();
    return found ? *std::move(found) : KeptVectors{};
  }
  std::unique_ptr<Device> device_ = GetParam().make();
};

TEST_P(EveryLedger, ATaskFindsWhatTheTaskBeforeItChanged) {
  EXPECT_TRUE(find(1, "a").empty());
  apply(1, {{"a/x", vector_of(1)}, {"a/y/z", vector_of(2)}, {"ab/x", vector_of(3)}});
  EXPECT_EQ(find(2, "a"), (KeptVectors{{"x", vector_of(1)}, {"y/z", vector_of(2)}}));
  EXPECT_EQ(find(2, "ab"), (KeptVectors{{"x", vector_of(3)}}));
  apply(2, {{"a/x", vector_of(4)}});
  EXPECT_EQ(find(3, "a"), (KeptVectors{{"x", vector_of(4)}, {"y/z", vector_of(2)}}));
}

TEST_P(EveryLedger, WhatAVectorBelongsToIsKeptWithIt) {
  const learning::KeptVector empty{sha256(std::string_view("layout")), {}};
  apply(1, {{"a/x", empty}});
  EXPECT_EQ(find(2, "a"), (KeptVectors{{"x", empty}}));
}

TEST_P(EveryLedger, ApplyingTwiceIsApplyingOnce) {
  apply(1, {{"a/x", vector_of(1)}});
  for (int again = 0; again < 2; ++again) {
    apply(2, {{"a/x", vector_of(2)}, {"a/y", vector_of(3)}});
    EXPECT_EQ(find(3, "a"), (KeptVectors{{"x", vector_of(2)}, {"y", vector_of(3)}}));
    EXPECT_EQ(find(2, "a"), (KeptVectors{{"x", vector_of(1)}}));
  }
}

TEST_P(EveryLedger, ARepeatedTaskStartsFromTheStateBeforeItAndReplacesItsFirstResult) {
  apply(1, {{"a/x", vector_of(1)}, {"a/y", vector_of(2)}});
  apply(2, {{"a/x", vector_of(3)}, {"a/new", vector_of(4)}});
  EXPECT_EQ(find(2, "a"), (KeptVectors{{"x", vector_of(1)}, {"y", vector_of(2)}}));
  apply(2, {{"a/y", vector_of(5)}});
  EXPECT_EQ(find(3, "a"), (KeptVectors{{"x", vector_of(1)}, {"y", vector_of(5)}}));
  EXPECT_EQ(find(2, "a"), (KeptVectors{{"x", vector_of(1)}, {"y", vector_of(2)}}));
}

TEST_P(EveryLedger, StagedChangesAreSeenWhenTheyAreApplied) {
  apply(1, {{"a/x", vector_of(1)}});
  stage(2, {{"a/x", vector_of(2)}, {"a/new", vector_of(3)}});
  const KeptVectors before{{"x", vector_of(1)}}, after{{"x", vector_of(2)}, {"new", vector_of(3)}};
  EXPECT_EQ(find(2, "a"), before);
  EXPECT_EQ(find(3, "a"), before);
  EXPECT_TRUE(apply_staged(2));
  EXPECT_EQ(find(2, "a"), before);
  EXPECT_EQ(find(3, "a"), after);
  EXPECT_FALSE(apply_staged(2)) << "a repeated receipt";
  EXPECT_EQ(find(3, "a"), after);
}

TEST_P(EveryLedger, OnlyTheTaskThatWasStagedLastCanBeApplied) {
  EXPECT_FALSE(apply_staged(1));
  stage(1, {{"a/x", vector_of(1)}, {"a/y", vector_of(1)}});
  EXPECT_FALSE(apply_staged(2));
  stage(2, {{"a/x", vector_of(2)}});
  EXPECT_FALSE(apply_staged(1));
  EXPECT_TRUE(find(3, "a").empty());
  EXPECT_TRUE(apply_staged(2));
  EXPECT_EQ(find(3, "a"), (KeptVectors{{"x", vector_of(2)}}));
}

// The aggregator lost the count, asked for the task again, and lost that too.
TEST_P(EveryLedger, ARepeatedTaskMayBeStagedAndNeverApplied) {
  apply(1, {{"a/x", vector_of(1)}});
  apply(2, {{"a/x", vector_of(2)}});
  stage(2, {{"a/x", vector_of(3)}});
  EXPECT_EQ(find(2, "a"), (KeptVectors{{"x", vector_of(1)}}));
  EXPECT_EQ(find(3, "a"), (KeptVectors{{"x", vector_of(2)}}));
  apply(3, {{"a/x", vector_of(4)}});
  EXPECT_EQ(find(3, "a"), (KeptVectors{{"x", vector_of(2)}}));
  EXPECT_EQ(find(4, "a"), (KeptVectors{{"x", vector_of(4)}}));
}

// Compares the ledger with maps of the states before and after the last task. A third of the calls repeat a task with
// other results, and a third of the changes are staged and never applied.
TEST_P(EveryLedger, AgreesWithAModelOfItself) {
  Random random(3);
  KeptVectors before, after;
  std::uint64_t task = 1;
  for (int i = 0; i < 300; ++i) {
    KeptVectors lost;
    if (random.chance(0.33)) {
      for (const char* name : {"a/2", "a/3", "a/4"})
        if (random.chance(0.6)) lost[name] = vector_of(static_cast<float>(random.uniform()));
      ASSERT_TRUE(device_->ledger().stage({TaskId(task + random.below(2)), task, 0, lost}));
      if (random.chance(0.1)) device_->restart();
    }
    if (!random.chance(0.33)) {
      ++task;
      before = after;
    }
    KeptVectors staged;
    for (const char* name : {"a/1", "a/2", "a/3"})
      if (random.chance(0.6)) staged[name] = vector_of(static_cast<float>(random.uniform()));
    after = before;
    for (const auto& [name, vector] : staged) after[name] = vector;
    ASSERT_TRUE(device_->ledger().stage({TaskId(task), task, 0, staged}));
    if (random.chance(0.1)) device_->restart();
    ASSERT_TRUE(device_->ledger().apply(TaskId(task)).value());
    if (random.chance(0.1)) device_->restart();
    const auto relative = [](const KeptVectors& from) {
      KeptVectors out;
      for (const auto& [name, vector] : from) out[name.substr(2)] = vector;
      return out;
    };
    ASSERT_EQ(device_->ledger().find(TaskId(task), "a").value(), relative(before)) << i;
    ASSERT_EQ(device_->ledger().find(TaskId(task + 1), "a").value(), relative(after)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ledgers, EveryLedger,
    ::testing::Values(Kind{"memory", [] { return std::make_unique<MemoryDevice>(); }},
                      Kind{"state", [] { return std::make_unique<StateDevice>(); }},
                      Kind{"cache", [] { return std::make_unique<CachedDevice>(false); }},
                      Kind{"restarted_cache", [] { return std::make_unique<CachedDevice>(true); }}),
    [](const auto& test) { return std::string(test.param.name); });

// Counts the reads, and fails when told to.
struct Durable final : DeviceLedger {
  Result<KeptVectors> find(TaskId task, std::string_view scope) override {
    ++reads;
    return memory.find(task, scope);
  }
  Result<void> stage(const StagedChanges& changes) override { return memory.stage(changes); }
  Result<bool> apply(TaskId task) override {
    if (is_full) return fail(ErrorCode::storage, "disk", "is full");
    return memory.apply(task);
  }
  MemoryLedger memory;
  int reads = 0;
  bool is_full = false;
};

TEST(CachingLedger, AsksTheOtherLedgerOnlyForWhatTheLastTaskDidNotUse) {
  const auto durable = std::make_shared<Durable>();
  CachingLedger ledger(durable);
  const auto run_task = [&](std::uint64_t task, const char* scope) {
    ASSERT_TRUE(ledger.find(TaskId(task), scope));
    ASSERT_TRUE(testing::count(ledger, {TaskId(task), task, 0, {{scope + std::string("/x"), vector_of(1)}}}));
  };
  for (std::uint64_t task = 1; task <= 5; ++task) run_task(task, "a");
  EXPECT_EQ(durable->reads, 1);
  run_task(6, "b");
  EXPECT_EQ(durable->reads, 2);
  run_task(7, "a");
  EXPECT_EQ(durable->reads, 3) << "a scope that is no longer used stays in memory";
}

TEST(CachingLedger, SharesItsValuesWithTheChangesThatWereApplied) {
  CachingLedger ledger(std::make_shared<MemoryLedger>());
  const learning::KeptVector staged = vector_of(1);
  ASSERT_TRUE(ledger.find(TaskId(1), "a"));
  ASSERT_TRUE(testing::count(ledger, {TaskId(1), 1, 0, {{"a/x", staged}}}));
  EXPECT_EQ(ledger.find(TaskId(2), "a")->at("x").values().data(), staged.values().data());
}

TEST(CachingLedger, ChangesThatCannotBeStoredAreNotSeen) {
  const auto durable = std::make_shared<Durable>();
  CachingLedger ledger(durable);
  ASSERT_TRUE(ledger.find(TaskId(1), "a"));
  ASSERT_TRUE(testing::count(ledger, {TaskId(1), 1, 0, {{"a/x", vector_of(1)}}}));
  durable->is_full = true;
  ASSERT_TRUE(ledger.find(TaskId(2), "a"));
  ASSERT_FALSE(testing::count(ledger, {TaskId(2), 2, 0, {{"a/x", vector_of(2)}}}));
  EXPECT_EQ(ledger.find(TaskId(3), "a").value(), (KeptVectors{{"x", vector_of(1)}}));
}

}  // namespace
}  // namespace hansa::client
