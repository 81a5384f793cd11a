// Evaluation on the clients, in whole federations: what the aggregator knows of it with and without secure sums.
#include <gtest/gtest.h>

#include "server/store/held_out.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

World measured(std::optional<secure_aggregation::ThreatModel> secure, std::uint32_t every,
               std::vector<std::string> metrics = {}) {
  World world;
  world.options.clients = 6;
  world.options.rounds = 4;
  world.options.quorum = 1;
  world.options.secure = secure;
  world.options.client_evaluation = server::ClientEvaluation{0.2, every};
  world.options.model_metrics = std::move(metrics);
  world.run();
  EXPECT_TRUE(world.outcome) << world.outcome.error().text();
  EXPECT_EQ(world.disk->rounds.size(), 4U);
  return world;
}

TEST(HeldOutFederation, ASecureSumShowsWhatTheVisibleUpdatesShow) {
  const World plain = measured({}, 1, {"auc"});
  const World secure = measured(secure_aggregation::ThreatModel::honest_but_curious, 1, {"auc"});
  for (std::size_t i = 0; i < 4; ++i) {
    const auto exact = server::held_out(plain.disk->rounds[i]);
    const auto rounded = server::held_out(secure.disk->rounds[i]);
    ASSERT_TRUE(exact && rounded);
    ASSERT_EQ(exact->metrics.size(), 3U);
    ASSERT_EQ(rounded->metrics.size(), 3U);
    EXPECT_EQ(rounded->metrics[2].name, "auc");
    EXPECT_NEAR(means_of(*rounded)[2].sum, means_of(*exact)[2].sum, 6.0 / 65'536);
    EXPECT_EQ(rounded->metrics[2].clients, 6U);
    for (std::size_t m = 0; m < 2; ++m) {
      EXPECT_EQ(rounded->metrics[m].total.count, exact->metrics[m].total.count);
      EXPECT_NEAR(rounded->metrics[m].total.sum, exact->metrics[m].total.sum, 6.0 / 65'536);
      EXPECT_EQ(rounded->metrics[m].clients, 6U);
      ASSERT_TRUE(exact->metrics[m].spread && rounded->metrics[m].spread);
      const server::Spread &of_clients = *exact->metrics[m].spread, &of_bins = *rounded->metrics[m].spread;
      for (const auto& [known, bin] : {std::pair(*of_clients.worst, *of_bins.worst),
                                       std::pair(*of_clients.worst_tenth, *of_bins.worst_tenth),
                                       std::pair(of_clients.mean, of_bins.mean),
                                       std::pair(of_clients.lower_quartile, of_bins.lower_quartile),
                                       std::pair(of_clients.upper_quartile, of_bins.upper_quartile)}) {
        const double value = known.least;
        EXPECT_TRUE(bin.least <= value && value <= bin.most) << bin.least << " " << value << " " << bin.most;
      }
    }
    for (const auto& participation : secure.disk->rounds[i].participations)
      EXPECT_TRUE(participation.metrics.empty()) << "the aggregator knows a single client's";
  }
}

TEST(HeldOutFederation, IsMeasuredEveryFewRoundsAndInTheLastOne) {
  for (const auto secure : {std::optional<secure_aggregation::ThreatModel>{},
                            std::optional(secure_aggregation::ThreatModel::active)}) {
    const World world = measured(secure, 2);
    std::vector<std::uint32_t> rounds;
    for (const auto& record : world.disk->rounds)
      if (server::held_out(record)) rounds.push_back(record.round.value);
    EXPECT_EQ(rounds, (std::vector<std::uint32_t>{1, 3, 4}));
  }
}

TEST(AdversaryHeldOutFederation, NothingElseIsSent) {
  const World world = measured({}, 3);
  for (const auto& record : world.disk->rounds)
    for (const auto& participation : record.participations)
      for (const Metric& metric : participation.metrics)
        EXPECT_TRUE(metric.name == "loss" || metric.name == held_out_loss || metric.name == held_out_accuracy)
            << metric.name;
}

}  // namespace
}  // namespace hansa::testing
