// What training methods do on the aggregator, against a second computation.
#include "server/methods/server_method.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "server/methods/fed_nova.h"
#include "server/methods/parameter_ranges.h"

namespace hansa::server {
namespace {

struct Values final : Mean {
  explicit Values(std::vector<double> v) : values(std::move(v)) {}
  std::size_t elements() const override { return values.size(); }
  void read(std::size_t first, std::span<double> out) const override {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
  }
  std::vector<double> values;
};

constexpr std::size_t elements = 300'007;
using Range = ServerOptimizerConfig::Range;

Values random_mean(Random& random) {
  std::vector<double> out(elements);
  for (double& value : out) value = 0.1 * random.normal();
  return Values(std::move(out));
}

// In blocks of an odd size.
std::vector<double> all_of(const Mean& mean) {
  std::vector<double> out(mean.elements());
  for (std::size_t at = 0; at < out.size(); at += 1'001)
    mean.read(at, std::span(out).subspan(at, std::min<std::size_t>(1'001, out.size() - at)));
  return out;
}

bool is_buffer(const std::vector<Range>& buffers, std::size_t i) {
  return std::ranges::any_of(buffers, [&](const Range& r) { return i >= r.first && i < r.first + r.count; });
}

const std::vector<std::vector<Range>> all_buffers{
    {}, {{0, 5}, {1'000, 1}, {1'001, 2'048}, {elements - 3, 3}}, {{0, elements}}};

TEST(TrainedRanges, CoverWhatIsOutsideOfTheBuffersOnce) {
  for (const auto& buffers : all_buffers)
    for (const auto& [first, values] : {std::pair<std::size_t, std::size_t>{0, elements},
                                        {3, 1'000},
                                        {1'000, 1},
                                        {1'002, 40},
                                        {elements - 4, 4},
                                        {7, 0}}) {
      std::vector<int> seen(values);
      for_trained(buffers, first, values, [&](std::size_t at, std::size_t count) {
        for (std::size_t i = at; i < at + count; ++i) ++seen[i];
      });
      for (std::size_t i = 0; i < values; ++i)
        ASSERT_EQ(seen[i], is_buffer(buffers, first + i) ? 0 : 1) << first << " " << i;
    }
}

TEST(ServerMethods, OneThatNeedsNothingPassesTheMeanOn) {
  WorkerPool workers(1);
  Random random(1);
  const Values mean = random_mean(random);
  const auto method = make_server_method(sgd_method({}), {}, workers);
  EXPECT_TRUE(method->states().empty());
  EXPECT_EQ(all_of(*method->correct(mean, {.updates = 3, .clients = 5}, {})), mean.values);
  EXPECT_EQ(method->vector_factor({.updates = 3, .examples = 100, .clients = 5}), 1);
}

// Clients send the change of their variate divided by their examples.
TEST(Scaffold, TheControlGrowsByTheSumOfTheChangesOverAllClients) {
  WorkerPool workers(1);
  const auto method = make_server_method({"scaffold", {}}, {}, workers);
  const double changes[] = {0.5, -2, 3}, examples[] = {10, 30, 5};
  double weighted = 0, total = 0;
  for (int i = 0; i < 3; ++i) weighted += examples[i] * (changes[i] / examples[i]), total += examples[i];
  const double mean = weighted / total;
  const RoundTotals totals{.updates = 3, .examples = total, .clients = 12};
  EXPECT_NEAR(mean * method->vector_factor(totals), (0.5 - 2 + 3) / 12, 1e-12);
}

TEST(FedNova, ScalesTheTrainedValuesByTheMeanNormalisation) {
  WorkerPool workers(1);
  Random random(2);
  const Values mean = random_mean(random);
  for (const auto& buffers : all_buffers) {
    const auto method = make_server_method({"fednova", {}}, buffers, workers);
    RoundTotals totals{.updates = 2, .examples = 40, .clients = 2};
    totals.metrics = {{std::string(FedNova::metric), 10 * 0.0 + 30 * -0.5, 40}};
    const auto corrected = method->correct(mean, totals, {});
    const std::vector<double> values = all_of(*corrected);
    for (std::size_t i = 0; i < elements; i += 13)
      ASSERT_EQ(values[i], is_buffer(buffers, i) ? mean.values[i] : mean.values[i] * (1 - 0.375)) << i;
  }
}

TEST(FedNova, WithEqualStepsTheMeanIsUnchangedBitForBit) {
  WorkerPool workers(1);
  Random random(3);
  const Values mean = random_mean(random);
  const auto method = make_server_method({"fednova", {}}, {}, workers);
  RoundTotals totals{.updates = 2, .examples = 40, .clients = 2};
  totals.metrics = {{std::string(FedNova::metric), 0, 40}};
  EXPECT_EQ(all_of(*method->correct(mean, totals, {})), mean.values);
}

TEST(AdversaryFedNova, WhatClientsClaimScalesTheStepWithinLimits) {
  WorkerPool workers(1);
  const Values mean({1, -1});
  const auto method = make_server_method({"fednova", {}}, {}, workers);
  for (const double claim : {1e30, 1e9, 100.0, -5.0, -1e30}) {
    RoundTotals totals{.updates = 2, .examples = 40, .clients = 2};
    totals.metrics = {{std::string(FedNova::metric), claim * 40, 40}};
    const auto values = all_of(*method->correct(mean, totals, {}));
    EXPECT_LE(values[0], FedNova::factor_max);
    EXPECT_GE(values[0], 0);
    EXPECT_EQ(values[1], -values[0]);
  }
}

// Acar et al. 2021, algorithm 1, with h and alpha in double precision.
TEST(FedDyn, FollowsThePapersEquationsOverSeveralRounds) {
  constexpr double alpha = 0.1;
  for (const unsigned threads : {1U, 3U}) {
    WorkerPool workers(threads);
    const std::vector<Range> buffers = all_buffers[1];
    const auto method = make_server_method({"feddyn", {}}, buffers, workers);
    ASSERT_EQ(method->states().size(), 1U);
    EXPECT_EQ(method->states()[0].name, "drift");
    std::vector<float> drift(elements);
    const std::span<float> state[] = {drift};
    std::vector<double> h(elements);
    Random random(4);
    for (int round = 0; round < 4; ++round) {
      const Values mean = random_mean(random);
      const RoundTotals totals{.updates = 3, .examples = 70, .clients = 8};
      const std::vector<double> values = all_of(*method->correct(mean, totals, state));
      for (std::size_t i = 0; i < elements; ++i) {
        if (is_buffer(buffers, i)) {
          ASSERT_EQ(values[i], mean.values[i]);
          continue;
        }
        h[i] -= alpha / 8 * (3 * mean.values[i]);
        ASSERT_NEAR(values[i], mean.values[i] - h[i] / alpha, 1e-6) << round << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace hansa::server
