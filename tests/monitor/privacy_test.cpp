// What the page about privacy says, compared with the settings that decide it.
#include "server/monitor/privacy.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/monitor/api_fixture.h"

namespace hansa::server {
namespace {

using ::testing::HasSubstr;

class Privacy : public ApiTest {
 protected:
  // Whether the aggregator sees it; empty: nothing is said about it.
  static std::optional<bool> sees(const FederationConfig& config, const std::string& what) {
    const auto all = seen_by_aggregator(config);
    const auto found = std::ranges::find(all, what, &Seen::what);
    return found == all.end() ? std::nullopt : std::optional(found->visible);
  }
  FederationConfig read(const std::string& more) {
    const auto file = folder_.path() / "federation.toml";
    EXPECT_TRUE(write_file_atomically(file, federation_text + more));
    const auto config = read_federation_config(file);
    EXPECT_TRUE(config) << config.error().text();
    return *config;
  }
  std::string secure(const std::string& more = {}) {
    return "[cohort]\nclients_min = 20\n[secure_aggregation]\nenabled = true\nroot = \"" +
           enrolment::text_of(testing::Keys().identity) + "\"\n" + more;
  }
};

TEST_F(Privacy, WithoutSecureAggregationSingleUpdatesAreVisible) {
  const FederationConfig config = read("");
  EXPECT_EQ(sees(config, "A single client's update"), true);
  EXPECT_EQ(sees(config, "Training examples"), false);
  EXPECT_EQ(sees(config, "A single client's measurements on held-out examples"), std::nullopt);
  EXPECT_FALSE(privacy_thresholds(config));
}

TEST_F(Privacy, WithSecureAggregationTheyAreNotIfTheAggregatorFollowsTheProtocol) {
  const FederationConfig config =
      read(secure("metrics = [\"loss\"]\n[evaluation]\non_clients = { fraction = 0.2, every = 1 }\n"));
  EXPECT_EQ(sees(config, "A single client's update"), false);
  EXPECT_EQ(sees(config, "The sum of the updates"), true);
  EXPECT_EQ(sees(config, "A single client's measurements on held-out examples"), false);
  EXPECT_EQ(sees(config, "A single client's masked update, if the aggregator deviates from the protocol"),
            true);
  const auto thresholds = privacy_thresholds(config);
  ASSERT_TRUE(thresholds);
  EXPECT_EQ(thresholds->clients_min, 20U);
  EXPECT_EQ(thresholds->corrupt, 4U) << "a fifth of 20";
  EXPECT_EQ(thresholds->dropouts, 2U) << "a tenth of 20";
  EXPECT_GT(thresholds->threshold, thresholds->corrupt);
  EXPECT_LE(thresholds->threshold, 18U);
}

TEST_F(Privacy, AnActiveAggregatorIsCoveredByItsThreatModel) {
  const FederationConfig config = read(secure("threat_model = \"active\"\n"));
  EXPECT_EQ(sees(config, "A single client's masked update, if the aggregator deviates from the protocol"),
            false);
}

TEST_F(Privacy, AWeightThatStepsLimitIsVisible) {
  constexpr const char* weight = "The weight of a client that has many examples";
  EXPECT_EQ(sees(read(secure()), weight), std::nullopt);
  EXPECT_EQ(sees(read(secure("[training]\nsteps_max = 5\n")), weight), true);
}

TEST_F(Privacy, TheRoundsAndTheAttemptsOfARunAreCounted) {
  const auto folder =
      make_run({"harbour-20260102-030405", 4, "", RunKind::production, {}, federation_text + secure()});
  {
    const auto store = *RunFolder::open(folder);
    ASSERT_TRUE(store->record_abandoned(
        {RoundId(5), 1, "2026-01-02T03:10:00Z", AbandonCause::refused_sum, "a value is out of range"}));
    ASSERT_TRUE(store->record_abandoned(
        {RoundId(5), 2, "2026-01-02T03:11:00Z", AbandonCause::opening, "secure sum: too few clients"}));
  }
  const Json privacy = json(get("/runs/harbour-20260102-030405/privacy"));
  EXPECT_EQ(privacy["secure_aggregation"], true);
  EXPECT_EQ(privacy["model"], "semi_honest");
  EXPECT_EQ(privacy["recovered_total"], 6) << "3 in each of two secure rounds";
  EXPECT_EQ(privacy["refused_sums"], 1);
  EXPECT_EQ(privacy["thresholds"]["clients_min"], 20);
  make_run({"harbour-20260102-040000", 1});
  const Json plain = json(get("/runs/harbour-20260102-040000/privacy"));
  EXPECT_EQ(plain["model"], nullptr);
  EXPECT_EQ(plain["thresholds"]["threshold"], nullptr);
}

}  // namespace
}  // namespace hansa::server
