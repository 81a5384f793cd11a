// What a round's clients measured in training, over all of them.
#include "server/store/training_metrics.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server_parts/store_fixtures.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

RoundRecord record(const std::vector<Metrics>& clients) {
  RoundRecord out;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    Participation p = participation_of("client-" + std::to_string(i), Outcome::counted, "");
    p.metrics = clients[i];
    out.participations.push_back(std::move(p));
  }
  return out;
}

TEST(TrainingMetrics, AreSummedOverTheCountedClientsOnly) {
  RoundRecord round =
      record({{{"loss", 6, 10}, {"r2", 1, 10}}, {{"loss", 4, 30}, {"r2", 3, 30}}, {{"loss", 9, 9}}});
  round.participations[2].outcome = Outcome::rejected;
  EXPECT_THAT(training_metrics(round), ElementsAre(Metric{"loss", 10, 40}, Metric{"r2", 4, 40}));
  EXPECT_EQ(counted_clients(round), 2U);
}

TEST(TrainingMetrics, OfASecureRoundAreItsSum) {
  RoundRecord round = record({{{"loss", 6, 10}}});
  round.secure.emplace().metrics = {{"loss", 1, 2}};
  round.secure->examples = 7;
  EXPECT_THAT(training_metrics(round), ElementsAre(Metric{"loss", 1, 2}));
  EXPECT_EQ(training_examples(round), 7U);
}

TEST(AdversaryTrainingMetrics, OneClientsNamesDoNotCrowdOutThoseOfTheOthers) {
  Metrics many;
  for (int i = 0; i < 64; ++i) many.push_back({"a" + std::to_string(i), 1, 1});
  const Metrics out = training_metrics(record({many, {{"loss", 1, 2}}, {{"loss", 2, 2}}}));
  EXPECT_EQ(out.size(), 64U);
  EXPECT_EQ(out[0], (Metric{"loss", 3, 4}));
}

TEST(AdversaryTrainingMetrics, ValuesThatAreNotFiniteAreLeftOut) {
  EXPECT_THAT(training_metrics(record({{{"loss", nan, 2}}, {{"loss", 1, 2}}, {{"loss", 5, 0}}})),
              ElementsAre(Metric{"loss", 1, 2}));
  const Metrics none = training_metrics(record({{{"loss", nan, 2}}}));
  ASSERT_EQ(none.size(), 1U);
  EXPECT_TRUE(std::isnan(*mean_of(none, "loss")));
}

}  // namespace
}  // namespace hansa::server
