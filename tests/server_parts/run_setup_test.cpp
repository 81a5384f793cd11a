// Which run is a federation's, and when it is healthy.
#include "server/setup/run_setup.h"

#include <gtest/gtest.h>

#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

// A run folder with so many committed rounds.
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

// A bug found: "fashion-mnist-..." was taken for a run of "fashion".
TEST(Health, TheRunsOfAFederationWhoseNameBeginsTheSameAreNotItsOwn) {
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

}  // namespace
}  // namespace hansa::server
