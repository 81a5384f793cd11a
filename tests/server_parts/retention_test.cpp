// Which models stay, on disk and in memory alike.
#include "server/retention/retention.h"

#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "server/store/memory_catalogue.h"
#include "server/store/round_model.h"
#include "server/store/run_folder.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr std::size_t elements = 64;
using Rounds = std::set<std::uint32_t>;

TEST(Retention, IsReadFromText) {
  EXPECT_EQ(*parse_retention("all", ""), Retention{});
  EXPECT_EQ(*parse_retention("last:1", ""), (Retention{Retention::Keep::last, 1, ""}));
  EXPECT_EQ(*parse_retention("best:20", ""), (Retention{Retention::Keep::best, 20, ""}));
  EXPECT_EQ(*parse_retention("every:1000000", ""), (Retention{Retention::Keep::every, 1'000'000, ""}));
  for (const char* wrong :
       {"", "last", "last:", "last:0", "last:-1", "last: 1", "every:1000001", "all:1", "Last:1"}) {
    const auto read = parse_retention(wrong, "federation.toml:7: store.keep");
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().location, "federation.toml:7: store.keep");
  }
}

TEST(Retention, LossesAndErrorsAreBetterWhenLower) {
  for (const char* metric : {"loss", "top5_error", "mse", "mae", "rmse", "perplexity"})
    EXPECT_EQ(better_of(metric), Better::lower) << metric;
  for (const char* metric : {"accuracy", "f1", "right", "gramses"})
    EXPECT_EQ(better_of(metric), Better::higher) << metric;
}

std::vector<float> vector_of(float value) { return std::vector<float>(elements, value); }
// Models, states and published vectors never have the same values.
std::vector<float> model_after(std::uint32_t round) { return vector_of(static_cast<float>(round)); }
std::vector<float> state_after(std::uint32_t round) { return vector_of(static_cast<float>(round) + 0.25F); }
std::vector<float> published_after(std::uint32_t round) {
  return vector_of(static_cast<float>(round) + 0.5F);
}
std::vector<std::byte> delta_after(std::uint32_t round) {
  return std::vector<std::byte>(8, std::byte(round));
}

// What a round publishes in place of its model.
enum class Publishes { model, delta, delta_and_vector };
using PublishesAt = std::function<Publishes(std::uint32_t round)>;
Publishes model_always(std::uint32_t) { return Publishes::model; }

Result<void> begin_small(Store& store) {
  RunIdentity identity = identity_of(model_after(0));
  HANSA_TRY(const Digest state, store.put_model(state_after(0)));
  identity.initial_state = {{"velocity", state}};
  return store.begin_run(identity, model_after(0));
}

Result<void> commit_small(Store& store, std::uint32_t round, const PublishesAt& publishes = model_always) {
  RoundRecord record;
  record.round = RoundId(round);
  record.base = vector_digest(model_after(round - 1));
  HANSA_TRY(record.model, store.put_model(model_after(round)));
  HANSA_TRY(const Digest state, store.put_model(state_after(round)));
  record.state = {{"velocity", state}};
  const Publishes what = publishes(round);
  if (what != Publishes::model) {
    Published published;
    published.model = sha256("published " + std::to_string(round));
    HANSA_TRY(published.delta, store.put_delta(delta_after(round)));
    if (what == Publishes::delta_and_vector) {
      HANSA_TRY(published.vector, store.put_model(published_after(round)));
    }
    record.published = published;
  }
  return store.commit_round(record);
}

bool has(Store& store, const std::vector<float>& vector) {
  std::vector<float> found(elements);
  return store.get_model(vector_digest(vector), found).has_value() && found == vector;
}

// The rounds whose model and state are there; checks that the records say the same.
Rounds kept_of(Run& run) {
  Rounds out;
  const auto records = run.rounds();
  for (const RoundRecord& record : *records) {
    const std::uint32_t round = record.round.value;
    EXPECT_EQ(has(run, model_after(round)), record.model_kept) << round;
    EXPECT_EQ(has(run, state_after(round)), record.model_kept) << round;
    EXPECT_EQ(find_round_model(run, record.round).has_value(), record.model_kept) << round;
    if (record.model_kept) out.insert(round);
  }
  EXPECT_TRUE(has(run, model_after(0)) && has(run, state_after(0))) << "the initial model";
  return out;
}

Rounds deltas_of(Run& run, std::uint32_t rounds) {
  Rounds out;
  for (std::uint32_t round = 1; round <= rounds; ++round)
    if (run.get_delta(sha256(std::span<const std::byte>(delta_after(round))))) out.insert(round);
  return out;
}

class RetentionOfStores : public ::testing::TestWithParam<const char*> {
 protected:
  RetentionOfStores() {
    if (std::string_view(GetParam()) == "memory")
      runs_ = std::make_unique<MemoryCatalogue>(folder_ / "scratch");
    else runs_ = open_catalogue(folder_ / "runs");
  }
  static Retention retention(const char* keep, const char* metric = "accuracy") {
    Retention out = *parse_retention(keep, "");
    if (out.keep == Retention::Keep::best) out.metric = metric;
    return out;
  }
  std::unique_ptr<server::Run> begin_run(const Retention& keep) {
    auto run = runs_->create("run", keep);
    EXPECT_TRUE(run && begin_small(**run));
    return std::move(*run);
  }
  std::unique_ptr<server::Run> open(const Retention& keep) { return runs_->open("run", keep).value(); }
  // Files that hold models and states; not those that wait to be unlinked.
  std::size_t files() const {
    std::size_t out = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "runs" / "run" / "models"))
      out += entry.path().extension() == ".f32" ? 1 : 0;
    return out;
  }
  [[nodiscard]] bool on_disk() const { return std::string_view(GetParam()) == "folder"; }

  const TemporaryFolder folder_;
  std::unique_ptr<RunCatalogue> runs_;
};

TEST_P(RetentionOfStores, AllKeepsEveryRound) {
  const auto run = begin_run(retention("all"));
  for (std::uint32_t round = 1; round <= 50; ++round) ASSERT_TRUE(commit_small(*run, round));
  EXPECT_EQ(kept_of(*run).size(), 50U);
}

TEST_P(RetentionOfStores, TheLastRoundsStayAndTheDiskIsBounded) {
  auto run = begin_run(retention("last:3"));
  for (std::uint32_t round = 1; round <= 50; ++round) {
    ASSERT_TRUE(commit_small(*run, round));
    if (on_disk()) {
      ASSERT_LE(files(), 2U * (3 + 1));
    }
  }
  EXPECT_EQ(kept_of(*run), (Rounds{48, 49, 50}));
  run.reset();
  EXPECT_EQ(kept_of(*runs_->open_read_only("run").value()), (Rounds{48, 49, 50}));
  run = open(retention("last:3"));
  EXPECT_EQ(kept_of(*run), (Rounds{48, 49, 50}));
  ASSERT_TRUE(commit_small(*run, 51));
  EXPECT_EQ(kept_of(*run), (Rounds{49, 50, 51}));
}

TEST_P(RetentionOfStores, EveryTenthRoundStaysAndTheLast) {
  auto run = begin_run(retention("every:10"));
  for (std::uint32_t round = 1; round <= 47; ++round) {
    ASSERT_TRUE(commit_small(*run, round));
    if (round == 23) {
      run.reset();
      run = open(retention("every:10"));
    }
  }
  EXPECT_EQ(kept_of(*run), (Rounds{10, 20, 30, 40, 47}));
  for (std::uint32_t round = 48; round <= 50; ++round) ASSERT_TRUE(commit_small(*run, round));
  EXPECT_EQ(kept_of(*run), (Rounds{10, 20, 30, 40, 50}));
}

TEST_P(RetentionOfStores, TheBestRoundsStayAndThoseThatMayStillBeEvaluated) {
  auto run = begin_run(retention("best:2"));
  const auto accuracy = [](std::uint32_t round) { return round == 7 || round == 31 ? 99.0 : round; };
  for (std::uint32_t round = 1; round <= 50; ++round) {
    ASSERT_TRUE(commit_small(*run, round));
    if (round % 2 == 0) {
      EXPECT_TRUE(has(*run, model_after(round - 1))) << "it may still be evaluated";
    }
    // Rounds are evaluated in pairs, the newer one first, so that the older one is not evaluated.
    if (round % 2 == 0 || round == 7 || round == 31) {
      ASSERT_TRUE(run->record_evaluation(RoundId(round), {{"loss", 1, 1}, {"accuracy", accuracy(round), 1}}));
    }
    if (on_disk()) {
      ASSERT_LE(files(), 2U * (2 + 3));
    }
    if (round == 32) {
      run.reset();
      run = open(retention("best:2"));
    }
  }
  EXPECT_EQ(kept_of(*run), (Rounds{7, 31, 50}));
}

TEST_P(RetentionOfStores, TheLowestLossIsTheBestAndNotANumberTheWorst) {
  auto run = begin_run(retention("best:1", "loss"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> losses{nan, 3, 1, 2, nan, 1, 4};
  for (std::uint32_t round = 1; round <= losses.size(); ++round) {
    ASSERT_TRUE(commit_small(*run, round));
    ASSERT_TRUE(run->record_evaluation(RoundId(round), {{"loss", losses[round - 1], 1}}));
  }
  EXPECT_EQ(kept_of(*run), (Rounds{3, 7}));
}

TEST_P(RetentionOfStores, AMetricThatNoEvaluationHasRemovesNothing) {
  auto run = begin_run(retention("best:1", "acuracy"));
  for (std::uint32_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(commit_small(*run, round));
    ASSERT_TRUE(run->record_evaluation(RoundId(round), {{"accuracy", 1.0 * round, 1}}));
  }
  EXPECT_EQ(kept_of(*run).size(), 5U);
}

// A restart begins at the last round that published its model, and adds up the deltas after it.
TEST_P(RetentionOfStores, WhatARestartNeedsToPublishStays) {
  const PublishesAt publishes = [](std::uint32_t round) {
    return round % 10 == 0 ? Publishes::model : Publishes::delta;
  };
  auto run = begin_run(retention("last:1"));
  for (std::uint32_t round = 1; round <= 24; ++round) ASSERT_TRUE(commit_small(*run, round, publishes));
  EXPECT_EQ(kept_of(*run), (Rounds{20, 24}));
  EXPECT_EQ(deltas_of(*run, 24), (Rounds{21, 22, 23, 24}));
  run.reset();
  run = open(retention("last:1"));
  EXPECT_EQ(kept_of(*run), (Rounds{20, 24}));
  for (std::uint32_t round = 21; round <= 24; ++round) EXPECT_TRUE(*run->published(RoundId(round))) << round;
  for (std::uint32_t round = 25; round <= 30; ++round) ASSERT_TRUE(commit_small(*run, round, publishes));
  EXPECT_EQ(kept_of(*run), (Rounds{30}));
  EXPECT_TRUE(deltas_of(*run, 30).empty());
}

TEST_P(RetentionOfStores, AStoredPublishedVectorTakesThePlaceOfTheDeltasBeforeIt) {
  const PublishesAt publishes = [](std::uint32_t round) {
    return round % 8 == 0 ? Publishes::delta_and_vector : Publishes::delta;
  };
  auto run = begin_run(retention("last:1"));
  for (std::uint32_t round = 1; round <= 50; ++round) {
    ASSERT_TRUE(commit_small(*run, round, publishes));
    ASSERT_LE(deltas_of(*run, round).size(), 8U + 1);
  }
  EXPECT_EQ(kept_of(*run), (Rounds{50}));
  EXPECT_EQ(deltas_of(*run, 50), (Rounds{48, 49, 50}));
  EXPECT_EQ((*run->published(RoundId(48)))->vector, vector_digest(published_after(48)));
  EXPECT_TRUE(has(*run, published_after(48)));
  EXPECT_FALSE(has(*run, published_after(40)));
  run.reset();
  run = open(retention("last:1"));
  EXPECT_TRUE(has(*run, published_after(48)));
  EXPECT_EQ(deltas_of(*run, 50), (Rounds{48, 49, 50}));
}

TEST_P(RetentionOfStores, ANarrowerRetentionTakesEffectAtTheStartAndAWiderOneBringsNothingBack) {
  auto run = begin_run(retention("all"));
  for (std::uint32_t round = 1; round <= 10; ++round) {
    ASSERT_TRUE(commit_small(*run, round));
    ASSERT_TRUE(run->record_evaluation(RoundId(round), {{"accuracy", round == 4 ? 9.0 : 1.0, 1}}));
  }
  run.reset();
  run = open(retention("best:1"));
  EXPECT_EQ(kept_of(*run), (Rounds{4, 10}));
  run.reset();
  run = open(retention("all"));
  EXPECT_EQ(kept_of(*run), (Rounds{4, 10}));
  ASSERT_TRUE(commit_small(*run, 11));
  EXPECT_EQ(kept_of(*run), (Rounds{4, 10, 11}));
}

// Two rounds, and the initial model, may have one model: an update of zeros.
TEST_P(RetentionOfStores, AModelThatAnotherKeptRoundNamesStays) {
  auto run = begin_run(retention("last:1"));
  for (std::uint32_t round = 1; round <= 3; ++round) {
    RoundRecord record;
    record.round = RoundId(round);
    record.model = *run->put_model(model_after(round == 2 ? 0 : 7));
    ASSERT_TRUE(run->commit_round(record));
    EXPECT_TRUE(has(*run, model_after(0)));
    EXPECT_EQ(has(*run, model_after(7)), round != 2);
  }
}

TEST_P(RetentionOfStores, AModelThatAnotherProgramReadsIsRemovedAfterwards) {
  auto run = begin_run(retention("last:1"));
  ASSERT_TRUE(commit_small(*run, 1));
  auto file = run->model_file(vector_digest(model_after(1)));
  ASSERT_TRUE(file) << file.error().text();
  const std::filesystem::path path = file->path;
  const auto again = run->model_file(vector_digest(model_after(1)));
  ASSERT_TRUE(commit_small(*run, 2));
  EXPECT_EQ(std::filesystem::file_size(path), elements * sizeof(float));
  EXPECT_FALSE(run->round(RoundId(1)).value()->model_kept);
  file->hold.reset();
  ASSERT_TRUE(commit_small(*run, 3));
  if (on_disk()) {
    EXPECT_TRUE(std::filesystem::exists(path)) << "another copy holds it";
  }
  ASSERT_TRUE(run->model_file(vector_digest(model_after(3))));
  const_cast<ModelFile&>(*again).hold.reset();
  ASSERT_TRUE(commit_small(*run, 4));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(run->model_file(vector_digest(model_after(1))));
}

// The vector that a later round publishes may be one that was surplus and is still read.
TEST_P(RetentionOfStores, AModelThatIsPublishedAgainStays) {
  auto run = begin_run(retention("last:1"));
  const auto commit = [&](std::uint32_t round, const std::optional<Published>& published) {
    RoundRecord record;
    record.round = RoundId(round);
    record.model = *run->put_model(model_after(round));
    record.published = published;
    return run->commit_round(record);
  };
  ASSERT_TRUE(commit(1, {}));
  auto file = run->model_file(vector_digest(model_after(1)));
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_TRUE(commit(2, {}));
  const auto publish = [&](std::uint32_t round, const std::optional<Digest>& vector) {
    return Published{
        sha256("published " + std::to_string(round)), {}, *run->put_delta(delta_after(round)), vector};
  };
  ASSERT_TRUE(commit(3, publish(3, *run->put_model(model_after(1)))));
  file->hold.reset();
  ASSERT_TRUE(commit(4, publish(4, {})));
  EXPECT_TRUE(has(*run, model_after(1))) << "a restart begins with it";
}

INSTANTIATE_TEST_SUITE_P(Stores, RetentionOfStores, ::testing::Values("folder", "memory"));

// Stops before each durable step in turn, the removal of models among them.
TEST(MemoryRetention, ACrashBeforeAnyStepLeavesNoRecordWithoutItsModel) {
  const Retention keep = *parse_retention("last:2", "");
  const PublishesAt publishes = [](std::uint32_t round) {
    return round % 4 == 0 ? Publishes::model : Publishes::delta;
  };
  bool stopped = true;
  for (int stop_at = 0; stopped; ++stop_at) {
    SCOPED_TRACE(stop_at);
    const auto disk = std::make_shared<MemoryDisk>();
    int steps = 0;
    stopped = false;
    {
      MemoryStore store(disk,
                        [&](std::string_view step) -> Result<void> {
                          if (steps++ < stop_at) return {};
                          stopped = true;
                          return fail(ErrorCode::storage, std::string(step), "crashed");
                        },
                        {.retention = keep});
      if (begin_small(store))
        for (std::uint32_t round = 1; round <= 9 && commit_small(store, round, publishes);) ++round;
    }
    MemoryStore store(disk, {}, {.retention = keep});
    ASSERT_TRUE(begin_small(store));
    const std::uint32_t last = store.position()->value().round.value;
    (void)kept_of(store);
    EXPECT_LE(disk->models.size(), 2U * (1 + 3));
    ASSERT_TRUE(commit_small(store, last + 1, publishes));
    const Rounds kept = kept_of(store);
    EXPECT_TRUE(kept.contains(last + 1) && (last == 0 || kept.contains(last)));
  }
}

// The name is free before the file is unlinked: a round may bring back the model that an earlier one has just lost.
TEST(FolderRetention, AModelThatIsPutAgainRightAfterItsRemovalStays) {
  const TemporaryFolder folder;
  const auto run = RunFolder::open(folder / "run", *parse_retention("last:1", "")).value();
  ASSERT_TRUE(begin_small(*run));
  for (std::uint32_t round = 1; round <= 60; ++round) {
    RoundRecord record;
    record.round = RoundId(round);
    record.model = *run->put_model(model_after(7 + round % 2));
    ASSERT_TRUE(run->commit_round(record));
    ASSERT_TRUE(has(*run, model_after(7 + round % 2))) << round;
  }
}

TEST(FolderRetention, NothingWaitsToBeUnlinkedAfterARunIsClosed) {
  const TemporaryFolder folder;
  {
    const auto run = RunFolder::open(folder / "run", *parse_retention("last:1", "")).value();
    ASSERT_TRUE(begin_small(*run));
    for (std::uint32_t round = 1; round <= 60; ++round) ASSERT_TRUE(commit_small(*run, round));
  }
  // The initial model and the last one, each with its state.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "run" / "models"), {}), 4);
}

// As if the process had died between the transaction and the removal of the files.
TEST(FolderRetention, FilesThatACrashLeftAreRemovedAtTheStart) {
  const TemporaryFolder folder;
  const Retention keep = *parse_retention("last:1", "");
  const std::filesystem::path path = folder / "run";
  std::filesystem::path left;
  {
    const auto run = RunFolder::open(path, keep).value();
    ASSERT_TRUE(begin_small(*run));
    ASSERT_TRUE(commit_small(*run, 1));
    left = run->model_path(vector_digest(model_after(1)));
    std::filesystem::create_hard_link(left, folder / "saved");
    ASSERT_TRUE(commit_small(*run, 2));
    ASSERT_FALSE(std::filesystem::exists(left));
  }
  std::filesystem::copy_file(folder / "saved", left.string() + ".tmp1");  // renamed, and not yet unlinked
  std::filesystem::rename(folder / "saved", left);
  const auto run = RunFolder::open(path, keep).value();
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_FALSE(std::filesystem::exists(left.string() + ".tmp1"));
  EXPECT_EQ(kept_of(*run), (Rounds{2}));
}

}  // namespace
}  // namespace hansa::server
