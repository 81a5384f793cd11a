// SIGKILL between any two changes that stage() and apply() make: all of a counted update is on the device, or nothing of
// it, and what was staged is applied by the next process.
#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/state/state_ledger.h"
#include "common/random.h"
#include "tests/client_state/arrivals.h"
#include "tests/client_state/count.h"
#include "tests/data/data_files.h"

namespace hansa::client {
namespace {

using learning::testing::TemporaryFolder;
using testing::arrival_of;

constexpr std::uint64_t replay_max = 5;
constexpr std::int64_t examples_a_task = 3;

// Personal layers that count what they were trained on: the number of trainings, and of new examples.
learning::KeptVectors trained_further(const learning::KeptVectors& kept, std::uint64_t fresh) {
  const auto found = kept.find("personal");
  std::vector<float> values = found == kept.end() ? std::vector<float>{0, 0} : found->second.values();
  values[0] += 1;
  values[1] += static_cast<float>(fresh);
  return {{"training/archive/personal", {{}, values}}, {"codec/residual", {{}, values}}};
}

// One task from arrival to apply(), as often as the aggregator asks for it; killed when `kill_at` is reached.
[[noreturn]] void run_task(const std::filesystem::path& folder, std::uint64_t task,
                           const std::string& kill_at) {
  ApplyOptions options;
  options.replay_max = replay_max;
  options.reached = [&](const char* point) {
    if (point == kill_at) ::kill(::getpid(), SIGKILL);
  };
  auto opened = StateStore::open(folder);
  if (!opened) ::_exit(2);
  const std::shared_ptr<StateStore> store = std::move(*opened);
  StateLedger ledger(store, options);
  const auto snapshot = store->snapshot(TaskId(task));
  const auto kept = ledger.find(TaskId(task), "training/archive");
  if (!snapshot || !kept) ::_exit(3);
  const bool applied = testing::count(ledger, {TaskId(task), derive_seed(1, "train", task), snapshot->mark,
                                               trained_further(*kept, snapshot->fresh)})
                           .has_value();
  ::_exit(applied ? 0 : 4);
}

int run_in_child(const std::filesystem::path& folder, std::uint64_t task, const std::string& kill_at) {
  const pid_t child = ::fork();
  if (child == 0) run_task(folder, task, kill_at);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

struct Seen {
  std::uint64_t trained = 0;
  std::uint64_t fresh = 0;
  float trainings = 0;
  float examples = 0;
  float residual = 0;  // the same number, kept by the codec
};
Seen look(const std::filesystem::path& folder, std::uint64_t next_task) {
  const std::shared_ptr<StateStore> store = StateStore::open(folder).value();
  EXPECT_FALSE(store->take_notice());
  const auto counts = store->counts().value();
  const auto kept = store->find(TaskId(next_task), "training/archive").value();
  const auto codec = store->find(TaskId(next_task), "codec").value();
  Seen out{counts.trained, counts.fresh};
  if (!kept.empty()) {
    out.trainings = kept.at("personal").values()[0];
    out.examples = kept.at("personal").values()[1];
    out.residual = codec.at("residual").values()[1];
  }
  return out;
}

constexpr const char* before_it_is_staged[] = {"what was staged before is gone", "the vectors are stored"};
constexpr const char* while_it_is_staged[] = {"the changes are staged", "the transaction has begun",
                                              "the turn has begun", "the examples are moved",
                                              "nothing is staged any more"};
constexpr const char* applied = "the transaction is committed";

std::vector<std::string> points() {
  std::vector<std::string> out(std::begin(before_it_is_staged), std::end(before_it_is_staged));
  out.insert(out.end(), std::begin(while_it_is_staged), std::end(while_it_is_staged));
  out.emplace_back(applied);
  return out;
}

// The Receipt that the aggregator sends again to the next process of the client.
bool apply_in_next_process(const std::filesystem::path& folder, std::uint64_t task) {
  const std::shared_ptr<StateStore> store = StateStore::open(folder).value();
  return StateLedger(store, {replay_max}).apply(TaskId(task)).value();
}

TEST(LedgerCrash, WhatWasStagedIsAppliedByTheNextProcessAfterAKillAtAnyPoint) {
  for (const std::string& point : points()) {
    SCOPED_TRACE(point);
    const TemporaryFolder folder;
    const auto state = folder / "state";
    std::uint64_t counted = 0;
    for (std::uint64_t task = 1; task <= 4; ++task) {
      ASSERT_TRUE(StateStore::open(state).value()->add(
          arrival_of(static_cast<std::int64_t>(task) * examples_a_task, examples_a_task)));
      ASSERT_TRUE(WIFSIGNALED(run_in_child(state, task, point))) << "the point was not reached";
      const bool was_staged = std::ranges::find(while_it_is_staged, point) != std::end(while_it_is_staged);
      EXPECT_EQ(apply_in_next_process(state, task), was_staged);
      EXPECT_FALSE(apply_in_next_process(state, task));
      if (was_staged || point == applied) counted = examples_a_task * task;
      const Seen seen = look(state, task + 1);
      EXPECT_EQ(seen.trained, counted);
      EXPECT_EQ(seen.fresh, examples_a_task * task - counted);
      EXPECT_EQ(seen.examples, static_cast<float>(counted));
      EXPECT_EQ(seen.residual, static_cast<float>(counted));
    }
  }
}

TEST(LedgerCrash, AfterAKillAtAnyPointAllChangesOfTheUpdateAreThereOrNone) {
  for (const std::string& point : points()) {
    SCOPED_TRACE(point);
    const TemporaryFolder folder;
    const auto state = folder / "state";
    for (std::uint64_t task = 1; task <= 4; ++task) {
      ASSERT_TRUE(StateStore::open(state).value()->add(
          arrival_of(static_cast<std::int64_t>(task) * examples_a_task, examples_a_task)));
      ASSERT_TRUE(WIFSIGNALED(run_in_child(state, task, point))) << "the point was not reached";
      const Seen killed = look(state, task + 1);
      const bool all = point == applied;
      const auto expected = examples_a_task * (all ? task : task - 1);
      EXPECT_EQ(killed.trained, expected);
      EXPECT_EQ(killed.examples, static_cast<float>(expected));
      EXPECT_EQ(killed.residual, static_cast<float>(expected));
      EXPECT_EQ(killed.fresh, all ? 0U : static_cast<std::uint64_t>(examples_a_task));
      // The aggregator asks for the task again, as the restarted client did not answer.
      ASSERT_EQ(run_in_child(state, task, ""), 0);
      const Seen done = look(state, task + 1);
      EXPECT_EQ(done.trained, static_cast<std::uint64_t>(examples_a_task) * task);
      EXPECT_EQ(done.fresh, 0U);
      EXPECT_EQ(done.trainings, static_cast<float>(task))
          << "personal layers were trained twice for one update";
      EXPECT_EQ(done.examples, static_cast<float>(done.trained));
      EXPECT_EQ(done.residual, static_cast<float>(done.trained));
    }
  }
}

}  // namespace
}  // namespace hansa::client
