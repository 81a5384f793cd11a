// A configuration whose rounds would not fit into memory is refused with the arithmetic.
#include "server/setup/round_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hansa::server {
namespace {

using ::testing::HasSubstr;
constexpr std::uint64_t mib = 1 << 20;

FederationConfig with_rule(const std::string& rule) {
  FederationConfig out;
  out.file = "federation.toml";
  out.aggregation.name = rule;
  out.aggregation.memory_bytes_max = 100 * mib;
  out.limits.kept_updates_disk_mib = 300;
  return out;
}

TEST(RoundMemory, ARuleKeepsTheUpdatesOfAllClientsInMemoryAndFiles) {
  const FederationConfig config = with_rule("median");
  EXPECT_TRUE(check_round_memory(config, 100, mib, {}));
  const auto refused = check_round_memory(config, 101, mib, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource);
  EXPECT_THAT(refused.error().text(),
              HasSubstr("101 clients times 1048576 values times 4 bytes are 404 MiB"));
  EXPECT_TRUE(check_round_memory(with_rule("mean"), 101, mib, {}));
}

TEST(RoundMemory, OnlyTheLargestCohortCounts) {
  FederationConfig config = with_rule("krum");
  config.cohort.size_max = 50;
  EXPECT_TRUE(check_round_memory(config, 1000, mib, {}));
  config.cohort.size_max = 101;
  EXPECT_FALSE(check_round_memory(config, 1000, mib, {}));
}

FederationConfig with_groups(std::uint32_t concurrency) {
  FederationConfig out;
  out.file = "federation.toml";
  out.secure_aggregation.emplace();
  out.cohort.mode = CohortMode::buffered;
  out.cohort.buffered.updates = 10;
  out.cohort.buffered.concurrency = concurrency;
  return out;
}

TEST(RoundMemory, EachGroupHasAMaskedSum) {
  // 100 clients are 10 groups: 40 MiB.
  EXPECT_EQ(check_round_memory(with_groups(0), 100, mib, 100 * mib).value(), "");
  EXPECT_THAT(
      check_round_memory(with_groups(0), 100, mib, 60 * mib).value(),
      HasSubstr("10 times 1048576 values times 4 bytes are 40 MiB, and 60 MiB of memory are available"));
  const auto refused = check_round_memory(with_groups(0), 100, mib, 39 * mib);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource);
  EXPECT_THAT(refused.error().hint, HasSubstr("cohort.buffered.concurrency"));
}

TEST(RoundMemory, ConcurrencyBoundsTheGroups) {
  EXPECT_EQ(check_round_memory(with_groups(20), 100, mib, 39 * mib).value(), "") << "2 groups: 8 MiB";
  EXPECT_EQ(check_round_memory(with_groups(0), 100, mib, {}).value(), "") << "the memory is not known";
  FederationConfig config = with_groups(0);
  config.cohort.mode = CohortMode::synchronous;
  EXPECT_EQ(check_round_memory(config, 100, mib, mib).value(), "");
}

}  // namespace
}  // namespace hansa::server
