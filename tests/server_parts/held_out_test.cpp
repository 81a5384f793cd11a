// What the clients measured on the examples that they hold out: the mean and the spread, of visible updates and of sums.
#include "server/store/held_out.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "server/divergence/run_watch.h"
#include "server/store/held_out_json.h"
#include "server/store/training_metrics.h"
#include "tests/server_parts/store_fixtures.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> own_names{"auc"};

RoundRecord record(const std::vector<Metrics>& clients, std::uint32_t round = 7) {
  RoundRecord out;
  out.round = RoundId(round);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    Participation p = participation_of("client-" + std::to_string(i), Outcome::counted, "");
    p.metrics = clients[i];
    out.participations.push_back(std::move(p));
  }
  return out;
}

// The record of the secure sum of the same clients: their metrics rounded to ring elements, summed, and read again.
RoundRecord summed(const std::vector<Metrics>& clients, std::uint32_t round = 7) {
  namespace sa = secure_aggregation;
  const auto count = static_cast<std::uint32_t>(clients.size());
  sa::SumSetup setup;
  setup.federation = "test";
  setup.clients = count;
  setup.segments = {{4, 1}};
  setup.quantisation = {7, sa::ring_bits(count, 7), 1, 100};
  setup.metrics = {"loss"};
  for (std::string& name : held_out_sum_names(PersonalModel::absent, own_names))
    setup.metrics.push_back(std::move(name));
  std::vector<std::uint32_t> sum(sa::vector_elements(setup)), elements(sum.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    Secret32 seed;
    seed.bytes()[0] = static_cast<std::uint8_t>(i);
    Metrics metrics = clients[i];
    append_held_out_bins(metrics);
    EXPECT_TRUE(sa::quantise(std::vector<float>(4, 0.1F), 10, metrics, setup, seed, elements));
    for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += elements[e];
  }
  std::vector<float> mean(4);
  const auto totals = sa::dequantise(sum, count, setup, mean);
  EXPECT_TRUE(totals) << totals.error().text();
  RoundRecord out = record(std::vector<Metrics>(clients.size()), round);
  out.secure.emplace();
  for (const auto& metric : totals->metrics) out.secure->metrics.push_back(metric.metric);
  return out;
}

Metrics measured(double loss, double accuracy, double examples) {
  return {{"loss", 3, 30},
          {"held_out_loss", loss * examples, examples},
          {"held_out_accuracy", accuracy * examples, examples}};
}

TEST(HeldOutRecord, HasTheMeanOverTheExamplesAndTheSpreadOverTheClients) {
  RoundRecord round = record({measured(0.5, 0.75, 8),
                              measured(2, 0.25, 4),
                              measured(1, 0.5, 4),
                              measured(0.25, 1, 16),
                              measured(9, 0, 1),
                              {{"loss", 1, 2}}});
  round.participations[4].outcome = Outcome::rejected;
  const auto found = held_out(round);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->of_round, RoundId(6)) << "the model that the round began with";
  ASSERT_EQ(found->metrics.size(), 2U);
  const HeldOutMetric& loss = found->metrics[0];
  EXPECT_EQ(loss.name, "loss");
  EXPECT_EQ(loss.total.sum, 4.0 + 8 + 4 + 4);
  EXPECT_EQ(loss.total.count, 32);
  EXPECT_EQ(loss.clients, 4U);
  ASSERT_TRUE(loss.spread);
  EXPECT_EQ(loss.spread->worst, (Interval{2, 2}));
  EXPECT_EQ(loss.spread->lower_quartile, (Interval{0.25, 0.25}));
  EXPECT_EQ(loss.spread->median, (Interval{0.5, 0.5}));
  EXPECT_EQ(loss.spread->upper_quartile, (Interval{1, 1}));
  EXPECT_EQ(loss.spread->mean, (Interval{0.9375, 0.9375}));
  EXPECT_EQ(loss.spread->worst_tenth, (Interval{2, 2})) << "at least one client";
  EXPECT_EQ(found->metrics[1].spread->worst, (Interval{0.25, 0.25})) << "of accuracies the lowest";
  EXPECT_THAT(text_of(*found),
              HasSubstr("loss 0.6250 (4 clients: worst 2; quartiles 0.25, 0.5, 1; mean 0.9375), accuracy"));
  EXPECT_THAT(training_metrics(round), ElementsAre(Metric{"loss", 13, 122}));
}

TEST(HeldOutRecord, TheWorstTenthOfTheClientsHasAMeanOfItsOwn) {
  std::vector<Metrics> clients;
  // 21 clients: a tenth are three. Losses 1/8 to 21/8, accuracies 1/32 to 21/32.
  for (int i = 1; i <= 21; ++i) clients.push_back(measured(i / 8.0, i / 32.0, 32));
  const auto plain = held_out(record(clients)), secure = held_out(summed(clients));
  ASSERT_TRUE(plain && secure);
  const Spread &loss = *plain->metrics[0].spread, &accuracy = *plain->metrics[1].spread;
  EXPECT_EQ(loss.mean, (Interval{11 / 8.0, 11 / 8.0}));
  EXPECT_EQ(loss.worst_tenth, (Interval{20 / 8.0, 20 / 8.0}));
  EXPECT_EQ(accuracy.mean, (Interval{11 / 32.0, 11 / 32.0}));
  EXPECT_EQ(accuracy.worst_tenth, (Interval{2 / 32.0, 2 / 32.0}));
  EXPECT_THAT(spread_text(plain->metrics[0]),
              HasSubstr("21 clients: worst 2.625; quartiles 0.75, 1.375, 2; mean 1.375, worst tenth 2.5"));
  // Accuracies of 1/32, 2/32 and 3/32 are in the bins from 0, from 0.05 and from 0.05.
  const Interval rounded = *secure->metrics[1].spread->worst_tenth;
  EXPECT_NEAR(rounded.least, 0.1 / 3, 1e-12);
  EXPECT_NEAR(rounded.most, 0.25 / 3, 1e-12);
}

TEST(HeldOutRecord, OfASecureSumAgreesWithThatOfTheVisibleUpdates) {
  Random random(3);
  for (int repetition = 0; repetition < 5; ++repetition) {
    std::vector<Metrics> clients;
    for (int i = 0; i < 12; ++i) {
      const double examples = 1 + static_cast<double>(random.below(40));
      clients.push_back(measured(
          std::exp2(3 * random.normal()),
          static_cast<double>(random.below(static_cast<std::uint64_t>(examples) + 1)) / examples, examples));
    }
    clients[4] = {{"loss", 1, 2}};  // holds nothing out
    const auto plain = held_out(record(clients)), secure = held_out(summed(clients));
    ASSERT_TRUE(plain && secure);
    ASSERT_EQ(secure->metrics.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      const HeldOutMetric &exact = plain->metrics[i], &rounded = secure->metrics[i];
      EXPECT_EQ(rounded.name, exact.name);
      EXPECT_EQ(rounded.total.count, exact.total.count);
      EXPECT_NEAR(rounded.total.sum, exact.total.sum, 12.0 / 65'536);
      EXPECT_EQ(rounded.clients, 11U);
      ASSERT_TRUE(rounded.spread);
      for (const auto& part : {std::pair(*rounded.spread->worst, *exact.spread->worst),
                               std::pair(*rounded.spread->worst_tenth, *exact.spread->worst_tenth),
                               std::pair(rounded.spread->mean, exact.spread->mean),
                               std::pair(rounded.spread->lower_quartile, exact.spread->lower_quartile),
                               std::pair(rounded.spread->median, exact.spread->median),
                               std::pair(rounded.spread->upper_quartile, exact.spread->upper_quartile)}) {
        const Interval interval = part.first;
        const double value = part.second.least;
        EXPECT_LE(interval.least, value);
        EXPECT_GE(interval.most, value);
        EXPECT_LT(interval.least, interval.most);
      }
    }
    EXPECT_THAT(training_metrics(summed(clients)), ElementsAre(Metric{"loss", 34, 332}));
  }
}

TEST(HeldOutRecord, HasTheModelsOwnMetricsWithoutAWorstClient) {
  std::vector<Metrics> clients;
  for (const double auc : {0.5, 0.75, 0.25}) {
    clients.push_back(measured(1, 0.5, 8));
    clients.back().push_back({"held_out_own.auc", auc * 8, 8});
  }
  for (const RoundRecord& round : {record(clients), summed(clients)}) {
    const auto found = held_out(round);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->metrics.size(), 3U);
    const HeldOutMetric& auc = found->metrics[2];
    EXPECT_EQ(auc.name, "auc");
    EXPECT_EQ(auc.total.count, 24);
    EXPECT_NEAR(auc.total.sum, 12, 1e-3);
    EXPECT_EQ(auc.clients, 3U) << "enough to compare rounds by it";
    EXPECT_NEAR(auc.middle, 0.5, 1e-3);
    EXPECT_EQ(mean_of(middles_of(*found, 3), "auc"), auc.middle);
    EXPECT_EQ(auc.spread.has_value(), !round.secure) << "a sum has no bins for it";
    EXPECT_THAT(text_of(*found),
                HasSubstr(round.secure ? ", auc 0.5000" : ", auc 0.5000 (3 clients: quartiles"));
    EXPECT_NEAR(held_out_json(*found)["auc"]["mean"].get<double>(), 0.5, 1e-3);
    EXPECT_FALSE(held_out_json(*found)["auc"].contains("worst"));
    EXPECT_THAT(training_metrics(round), ElementsAre(Metric{"loss", 9, 90}));
  }
}

// In visible updates a client can report what it likes.
TEST(AdversaryHeldOutRecord, OwnMetricsOfOneClientDoNotReplaceThoseOfTheOthers) {
  std::vector<Metrics> clients(3, Metrics{{"held_out_own.zone", 4, 8}});
  for (int i = 0; i < 60; ++i) clients[0].push_back({"held_out_own.a" + std::to_string(i), 1, 1});
  clients[0].push_back({"held_out_own.\x1b[31m", 1, 1});
  clients[0].push_back({"held_out_own.loss", 1, 1});
  clients[0].push_back({"held_out_own.huge", 1e300, 1});
  const auto found = held_out(record(clients));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->metrics.size(), 16U);
  EXPECT_NE(std::ranges::find(found->metrics, "zone", &HeldOutMetric::name), found->metrics.end());
  for (const HeldOutMetric& metric : found->metrics) EXPECT_TRUE(is_own_metric_name(metric.name));
  EXPECT_EQ(std::ranges::find(found->metrics, "huge", &HeldOutMetric::name), found->metrics.end());
}

TEST(HeldOutRecord, IsEmptyWhereNothingWasMeasured) {
  EXPECT_FALSE(held_out(record({{{"loss", 1, 2}}, {{"loss", 1, 2}}})));
  EXPECT_FALSE(held_out(summed({{{"loss", 1, 2}}, {{"loss", 1, 2}}, {{"loss", 1, 2}}})));
}

TEST(HeldOutRecord, IsTheBestRoundsMeasureAndThatOfADivergence) {
  RunWatch watch(RunWatchConfig{});
  for (std::uint32_t round = 1; round <= 5; ++round) {
    const double accuracy = round == 4 ? 0.875 : 0.5;
    const auto problems =
        watch.on_committed(record({measured(round == 5 ? 50 : 0.5, accuracy, 8), measured(0.5, accuracy, 8),
                                   measured(round == 5 ? 50 : 0.5, accuracy, 8)},
                                  round));
    ASSERT_EQ(problems.size(), round < 5 ? 0U : 1U);
    if (round == 5) {
      EXPECT_THAT(problems.front(),
                  HasSubstr("loss of the previous model on the clients' held-out examples is 50"));
    }
  }
  ASSERT_TRUE(watch.best());
  EXPECT_EQ(*watch.best(), (BestRound{RoundId(3), "held-out accuracy", 0.875}))
      << "round 4 measured the model of round 3";
  watch.on_evaluated(RoundId(2), {{"accuracy", 1, 2}});
  EXPECT_EQ(watch.best()->metric, "test accuracy") << "the aggregator's own evaluation comes first";
}

TEST(HeldOutRecord, EndsARunThatHasNoOtherEvaluation) {
  RunWatchConfig config;
  config.until.reaches = 0.75;
  config.is_measured_on_clients = true;
  RunWatch watch(config);
  const auto commit = [&](std::uint32_t round, double accuracy) {
    (void)watch.on_committed(record({measured(0.1, accuracy, 8), measured(0.1, accuracy, 8)}, round));
  };
  commit(1, 0.875);
  EXPECT_EQ(watch.reached({}), "") << "the initial model is no round, and a training loss does not count";
  commit(2, 0.5);
  EXPECT_EQ(watch.reached({}), "");
  commit(3, 0.875);
  EXPECT_THAT(watch.reached({}), HasSubstr("round 2 (held-out accuracy 0.8750) reached 0.75"));
}

TEST(AdversaryHeldOut, AClientThatClaimsManyExamplesDoesNotMoveTheBestRound) {
  RunWatch watch(RunWatchConfig{});
  for (std::uint32_t round = 1; round <= 4; ++round)
    (void)watch.on_committed(
        record({measured(0.5, round == 3 ? 0.625 : 0.5, 8), measured(0.5, 0.5, 8),
                measured(0.5, round == 3 ? 0.625 : 0.5, 8), measured(0.5, round == 4 ? 1 : 0, 1 << 20)},
               round));
  EXPECT_EQ(*watch.best(), (BestRound{RoundId(1), "held-out accuracy", 0.5}));
}

TEST(HeldOutRecord, InJson) {
  const auto plain = held_out_json(*held_out(record({measured(0.5, 1, 4), measured(1, 0.5, 4)})));
  EXPECT_EQ(plain["of_round"], 6);
  EXPECT_EQ(
      plain["loss"].dump(),
      R"({"mean":0.75,"examples":8.0,"clients":2,"worst":1.0,"quartiles":[0.5,0.5,1.0],"mean_of_clients":0.75,"worst_tenth":1.0})");
  const auto secure =
      held_out_json(*held_out(summed({measured(0.6, 1, 4), measured(2'000, 0.5, 4), measured(0.6, 0.5, 4)})));
  EXPECT_EQ(secure["loss"]["worst"].dump(), "[1024.0,null]");
  EXPECT_EQ(secure["accuracy"]["worst"].dump(), "[0.5,0.55]");
}

TEST(AdversaryHeldOut, AClaimThatIsNotPossibleDoesNotCount) {
  const auto found = held_out(record({measured(0.5, 0.5, 4),
                                      {{"held_out_loss", nan, 4}, {"held_out_accuracy", 5, 4}},
                                      {{"held_out_loss", 1e300, 4}, {"held_out_accuracy", -1, 4}},
                                      {{"held_out_loss", 1, 0}, {"held_out_accuracy", 1, 1e300}}}));
  ASSERT_TRUE(found);
  for (const HeldOutMetric& metric : found->metrics) EXPECT_EQ(metric.clients, 1U) << metric.name;
  EXPECT_EQ(means_of(*found)[0], (Metric{"loss", 2, 4}));
}

TEST(AdversaryHeldOut, CountersThatCannotBeRightTakeOnlyTheSpreadAway) {
  for (const auto& [sum, count] : {std::pair(-1.0, 3.0), {4.0, 3.0}, {0.5, 3.0}, {1.0, 2.0}, {1e9, 3.0}}) {
    RoundRecord round = summed({measured(0.5, 0.5, 4), measured(1, 0.5, 4), measured(2, 0.5, 4)});
    for (Metric& metric : round.secure->metrics)
      if (metric.name == held_out_bin_name(held_out_loss, held_out_bin_of(held_out_loss, 1.0)))
        metric = {metric.name, sum, count};
    const auto found = held_out(round);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->metrics[0].spread) << sum;
    EXPECT_EQ(found->metrics[0].total.count, 12);
    EXPECT_TRUE(found->metrics[1].spread);
  }
}

}  // namespace
}  // namespace hansa::server
