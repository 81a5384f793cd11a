// The trainees of buffered aggregation alone: states and events as docs/round.md lists them.
#include <set>

#include <gtest/gtest.h>

#include "server/coordinator/internal/staleness_weight.h"
#include "server/coordinator/internal/trainees.h"

namespace hansa::server {
namespace {

Trainees::Task task_of(std::uint32_t round) {
  return {RoundId(round), std::make_shared<const PublishedModel>(), 10, Instant(std::chrono::hours(1)),
          Instant(std::chrono::hours(2))};
}

Trainee& assign(Trainees& trainees, std::uint32_t round = 1) {
  return trainees.assign({}, "run", "a", task_of(round));
}

void lead_to(Trainees& trainees, Trainee& t, TraineeState state) {
  if (state == TraineeState::free) (void)trainees.end(t);
  if (state == TraineeState::absent) (void)trainees.lost(t);
  if (state == TraineeState::waiting || state == TraineeState::checking) (void)trainees.complete(t, 0);
  if (state == TraineeState::checking) (void)trainees.check(t);
  ASSERT_EQ(t.state, state);
}

TEST(TraineesTable, EveryStateAndEventDoAsTheTableSays) {
  using enum TraineeState;
  struct Row {
    TraineeState state;
    // After: lost, returned, complete, check, checked, end.
    TraineeState after[6];
  };
  const Row table[] = {
      {free, {free, free, free, free, free, free}},
      {training, {absent, training, waiting, training, training, free}},
      {absent, {absent, training, waiting, absent, absent, free}},
      {waiting, {waiting, waiting, waiting, checking, waiting, waiting}},
      {checking, {checking, checking, checking, checking, free, checking}},
  };
  for (const Row& row : table) {
    for (int event = 0; event < 6; ++event) {
      SCOPED_TRACE(std::string(name(row.state)) + ", event " + std::to_string(event));
      Trainees trainees;
      Trainee& t = assign(trainees);
      lead_to(trainees, t, row.state);
      const bool changed = event == 0   ? trainees.lost(t)
                           : event == 1 ? trainees.returned(t)
                           : event == 2 ? trainees.complete(t, 3)
                           : event == 3 ? trainees.check(t)
                           : event == 4 ? trainees.checked(t)
                                        : trainees.end(t);
      EXPECT_EQ(t.state, row.after[event]);
      EXPECT_EQ(changed, row.after[event] != row.state);
      EXPECT_EQ(t.model == nullptr, t.is_free()) << "a free client holds no model in memory";
    }
  }
}

TEST(Trainees, NoTwoTasksOfAClientAreTheSameWork) {
  Trainees trainees;
  std::set<std::uint64_t> tasks, seeds;
  for (const std::uint32_t round : {1U, 1U, 1U, 2U, 2U, 5U}) {
    Trainee& t = assign(trainees, round);
    EXPECT_TRUE(tasks.insert(t.task.value).second);
    EXPECT_TRUE(seeds.insert(t.seed).second);
    (void)trainees.end(t);
  }
}

TEST(Trainees, TheFirstTaskOnAModelIsThatOfARoundOfACohort) {
  Trainees trainees;
  const OperatorSettings settings;
  Trainee& t = assign(trainees, 7);
  EXPECT_EQ(t.task, make_task_id(settings.seed, "run", {RoundId(7)}, "a"));
}

TEST(StalenessWeight, FallsWithTheRootOfTheStaleness) {
  OperatorSettings settings;
  const std::uint64_t full = full_weight(settings, 123);
  EXPECT_EQ(full, 65'536U) << "the examples do not count";
  EXPECT_EQ(stale_weight(full, 0), full);
  EXPECT_EQ(stale_weight(full, 3), full / 2);
  EXPECT_EQ(stale_weight(full, 8), 21'845U);
  settings.cohort.buffered.weights = BufferedConfig::Weights::examples;
  EXPECT_EQ(full_weight(settings, 246), 2 * full_weight(settings, 123));
  for (const std::uint64_t most : {1ULL, 100ULL, 1ULL << 20, 1ULL << 29}) {
    settings.limits.examples_max = most;
    EXPECT_LE(buffer_bounds(settings).weight_max, 1ULL << 29) << most;
    EXPECT_GE(stale_weight(full_weight(settings, 1), 1'000), 1U);
  }
}

}  // namespace
}  // namespace hansa::server
