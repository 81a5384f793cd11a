// Which runs belong to a federation, and which run is healthy.
#include "server/setup/run_setup.h"

#include <fstream>

#include <gtest/gtest.h>

#include "common/parameter_layout.h"
#include "common/vector_digest.h"

#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

// Creates a run folder with this many committed rounds.
void make_run(const std::filesystem::path& folder, std::uint32_t rounds) {
  auto run = RunFolder::open(folder);
  ASSERT_TRUE(run) << run.error().text();
  ASSERT_TRUE(begin(**run));
  for (std::uint32_t round = 1; round <= rounds; ++round) ASSERT_TRUE(commit(**run, round));
}

TEST(Health, OnlyARunWithACommittedRoundIsHealthy) {
  const TemporaryFolder folder;
  FederationConfig config;
  config.name = "fashion";
  config.runs = folder / "runs";
  EXPECT_FALSE(read_health(config));
  make_run(config.runs / "fashion-20260102-030405", 0);
  const auto waiting = read_health(config);
  ASSERT_FALSE(waiting);
  EXPECT_EQ(waiting.error().code, ErrorCode::quorum);
  make_run(config.runs / "fashion-20260102-030405-2", 3);
  const auto healthy = read_health(config);
  ASSERT_TRUE(healthy) << healthy.error().text();
  EXPECT_EQ(healthy->last, RoundId(3));
}

// Regression: "fashion-mnist-..." was considered a run of "fashion".
TEST(Health, RunsOfAFederationWithTheSameNamePrefixAreNotItsOwn) {
  const TemporaryFolder folder;
  FederationConfig config;
  config.name = "fashion";
  config.runs = folder / "runs";
  make_run(config.runs / "fashion-20260102-030405", 2);
  make_run(config.runs / "fashion-mnist-20260102-030406", 5);
  const auto found = read_health(config);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->run.filename(), "fashion-20260102-030405");
}

// Describes an archive of arbitrary bytes as a layout of one tensor.
Result<ArchiveFacts> describe(const std::filesystem::path& archive, std::span<const std::string>) {
  std::ifstream file(archive);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  HANSA_TRY(auto layout, ParameterLayout::create({{.name = "weight", .shape = {32}}}));
  return ArchiveFacts{sha256(text), std::move(layout), PageVector<float>(32, 1.0F)};
}

TEST(PrepareRun, FromARoundOfAnotherRunBringsItsModelAndItsStateVectors) {
  const TemporaryFolder folder;
  FederationConfig config;
  config.name = "fashion";
  config.runs = folder / "runs";
  config.model = folder / "model.pt";
  config.rounds = 5;
  std::ofstream(config.model) << "archive";
  const std::vector<float> model(32, 2.0F), velocity(32, 0.5F);
  std::string first;
  {
    auto run = prepare_run(config, {RunChoice::new_run, ""}, describe);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_TRUE(run->initial_state.empty());
    RoundRecord record;
    record.round = RoundId(1);
    record.base = vector_digest(std::vector<float>(32, 1.0F));
    record.model = *run->store->put_model(model);
    record.state = {{"fedavgm.velocity", *run->store->put_model(velocity)}};
    ASSERT_TRUE(run->store->commit_round(record));
    const auto kept = run->store->round(RoundId(1));
    ASSERT_TRUE(kept && *kept);
    if ((**kept).state.empty()) GTEST_SKIP() << "this store keeps no state vectors";
    first = run->store->folder().string();
  }
  for (int start = 0; start < 2; ++start) {  // again from the new run's round 0
    auto run = prepare_run(config, {RunChoice::new_run, first + (start == 0 ? "@1" : "@0")}, describe);
    ASSERT_TRUE(run) << run.error().text();
    ASSERT_EQ(run->initial_state.size(), 1U);
    EXPECT_EQ(run->initial_state[0].name, "fedavgm.velocity");
    std::vector<float> found(32);
    ASSERT_TRUE(run->store->get_model(run->initial_state[0].vector, found));
    EXPECT_EQ(found, velocity);
    const auto position = run->store->position();
    ASSERT_TRUE(position && *position);
    EXPECT_EQ((**position).model, vector_digest(model));
    const std::string again = run->store->folder().string();
    run->store.reset();
    auto resumed = prepare_run(config, {RunChoice::resume_or_new, ""}, describe);
    ASSERT_TRUE(resumed) << resumed.error().text();
    ASSERT_TRUE(resumed->resumed);
    EXPECT_EQ(resumed->initial_state.size(), 1U) << "a restart before the first round has them as well";
    first = again;
  }
}

}  // namespace
}  // namespace hansa::server
