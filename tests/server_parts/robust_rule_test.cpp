// Each robust rule against a second computation, written as its paper says it, without blocks, stripes and threads.
#include "server/aggregation/robust/robust_rule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "server/aggregation/robust/coordinate_rules.h"
#include "server/aggregation/robust/make_robust_rule.h"

namespace hansa::server {
namespace {

using Rows = std::vector<std::vector<float>>;
using Doubles = std::vector<double>;

Rows random_rows(std::size_t count, std::size_t elements, Random& random) {
  Rows out(count, std::vector<float>(elements));
  for (auto& row : out)
    for (float& value : row) value = static_cast<float>(random.normal());
  return out;
}

std::vector<std::uint64_t> random_weights(std::size_t count, Random& random) {
  std::vector<std::uint64_t> out(count);
  for (auto& weight : out) weight = 1 + random.below(500);
  return out;
}

std::vector<float> estimate(const RobustRule& rule, const Rows& rows, std::span<const std::uint64_t> weights,
                            unsigned threads = 2, std::vector<float> previous = {}) {
  WorkerPool workers(threads);
  std::vector<RobustUpdate> updates;
  for (std::size_t i = 0; i < rows.size(); ++i) updates.push_back({weights[i], rows[i]});
  previous.resize(rows[0].size());
  rule.estimate(updates, workers, previous);
  return previous;
}

AggregationConfig config_of(const char* name) {
  AggregationConfig out;
  out.name = name;
  return out;
}

double distance(const std::vector<float>& row, const Doubles& centre) {
  double sum = 0;
  for (std::size_t i = 0; i < row.size(); ++i)
    sum += (static_cast<double>(row[i]) - centre[i]) * (static_cast<double>(row[i]) - centre[i]);
  return std::sqrt(sum);
}

Doubles column_of(const Rows& rows, std::size_t i) {
  Doubles out;
  for (const auto& row : rows) out.push_back(static_cast<double>(row[i]));
  std::ranges::sort(out);
  return out;
}

double median_of(Doubles values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Doubles per_coordinate(const Rows& rows, const std::function<double(const Doubles&)>& reduce) {
  Doubles out;
  for (std::size_t i = 0; i < rows[0].size(); ++i) out.push_back(reduce(column_of(rows, i)));
  return out;
}

Doubles mean_of(const Rows& rows, const Doubles& weights) {
  Doubles out(rows[0].size());
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t k = 0; k < rows.size(); ++k)
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] += weights[k] / total * static_cast<double>(rows[k][i]);
  return out;
}

// The indices of the updates in the order of their scores among `among`.
std::vector<std::size_t> by_krum_score(const Rows& rows, std::vector<std::size_t> among, std::size_t faulty) {
  std::vector<std::pair<double, std::size_t>> scored;
  for (const std::size_t i : among) {
    Doubles squares;
    for (const std::size_t j : among)
      if (i != j) squares.push_back(std::pow(distance(rows[i], Doubles(rows[j].begin(), rows[j].end())), 2));
    std::ranges::sort(squares);
    const auto wanted = static_cast<std::ptrdiff_t>(among.size()) - static_cast<std::ptrdiff_t>(faulty) - 2;
    const auto near = std::clamp<std::ptrdiff_t>(wanted, std::min<std::ptrdiff_t>(1, std::ssize(squares)),
                                                 std::ssize(squares));
    scored.emplace_back(std::accumulate(squares.begin(), squares.begin() + near, 0.0), i);
  }
  std::ranges::sort(scored);
  std::vector<std::size_t> out;
  for (const auto& [score, i] : scored) out.push_back(i);
  return out;
}

std::vector<std::size_t> all_of(const Rows& rows) {
  std::vector<std::size_t> out(rows.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

Rows chosen_rows(const Rows& rows, const std::vector<std::size_t>& chosen) {
  Rows out;
  for (const std::size_t i : chosen) out.push_back(rows[i]);
  return out;
}

Doubles bulyan_of(const Rows& rows, std::size_t faulty) {
  std::vector<std::size_t> left = all_of(rows), chosen;
  while (chosen.size() < rows.size() - 2 * faulty) {
    chosen.push_back(by_krum_score(rows, left, faulty).front());
    std::erase(left, chosen.back());
  }
  const std::size_t averaged = chosen.size() - 2 * faulty;
  return per_coordinate(chosen_rows(rows, chosen), [averaged](Doubles column) {
    const double middle = median_of(column);
    std::ranges::stable_sort(column, {}, [middle](double value) { return std::abs(value - middle); });
    return std::accumulate(column.begin(), column.begin() + static_cast<std::ptrdiff_t>(averaged), 0.0) /
           static_cast<double>(averaged);
  });
}

Doubles geometric_median_of(const Rows& rows, const Doubles& weights, unsigned passes) {
  Doubles centre = mean_of(rows, weights);
  double before = 0;
  for (unsigned pass = 0; pass < passes; ++pass) {
    Doubles factors;
    double objective = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double away = distance(rows[i], centre);
      objective += weights[i] * away;
      factors.push_back(weights[i] / std::max(1e-5, away));
    }
    if (pass > 0 && before - objective <= 1e-6 * before) break;
    before = objective;
    centre = mean_of(rows, factors);
  }
  return centre;
}

Doubles norm_bound_of(const Rows& rows, const Doubles& weights, double norm) {
  Rows scaled = rows;
  for (auto& row : scaled) {
    const double factor = std::min(1.0, norm / distance(row, Doubles(row.size())));
    for (float& value : row) value = static_cast<float>(factor * static_cast<double>(value));
  }
  return mean_of(scaled, weights);
}

Doubles centred_clipping_of(const Rows& rows, Doubles centre, double radius, unsigned passes) {
  for (unsigned pass = 0; pass < passes; ++pass) {
    Doubles next = centre;
    for (const auto& row : rows) {
      const double factor = std::min(1.0, radius / distance(row, centre)) / static_cast<double>(rows.size());
      for (std::size_t i = 0; i < next.size(); ++i)
        next[i] += factor * (static_cast<double>(row[i]) - centre[i]);
    }
    centre = next;
  }
  return centre;
}

Doubles as_doubles(std::span<const std::uint64_t> values) { return {values.begin(), values.end()}; }

void expect_near(const std::vector<float>& actual, const Doubles& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 2e-6) << i;
}

struct Case {
  std::size_t count, elements;
};
constexpr Case cases[] = {{11, 1}, {11, 63}, {12, 5'000}, {15, 70'001}};

TEST(RobustRules, AreWhatTheirPapersSay) {
  Random random(1);
  for (const auto& [count, elements] : cases) {
    SCOPED_TRACE(std::to_string(count) + " updates of " + std::to_string(elements));
    const Rows rows = random_rows(count, elements, random);
    const auto weights = random_weights(count, random);
    const Doubles examples = as_doubles(weights);
    const auto run = [&](const AggregationConfig& config) {
      return estimate(*make_robust_rule(config), rows, weights);
    };

    expect_near(run(config_of("median")), per_coordinate(rows, median_of));
    AggregationConfig trimmed = config_of("trimmed_mean");
    trimmed.trim = 0.25;
    const auto left_out = static_cast<std::ptrdiff_t>(count / 4);
    expect_near(run(trimmed), per_coordinate(rows, [&](const Doubles& column) {
                  return std::accumulate(column.begin() + left_out, column.end() - left_out, 0.0) /
                         static_cast<double>(std::ssize(column) - 2 * left_out);
                }));
    AggregationConfig krum = config_of("krum");
    krum.faulty = 3;
    const auto order = by_krum_score(rows, all_of(rows), 3);
    expect_near(run(krum), mean_of(chosen_rows(rows, {order[0]}), {1}));
    krum.name = "multi_krum";
    krum.chosen = 4;
    expect_near(run(krum),
                mean_of(chosen_rows(rows, {order[0], order[1], order[2], order[3]}), {1, 1, 1, 1}));
    krum.chosen = 0;
    const std::vector<std::size_t> honest(order.begin(), order.end() - 3);
    expect_near(run(krum), mean_of(chosen_rows(rows, honest), Doubles(honest.size(), 1.0)));
    AggregationConfig bulyan = config_of("bulyan");
    bulyan.faulty = 2;
    expect_near(run(bulyan), bulyan_of(rows, 2));
    expect_near(run(config_of("geometric_median")), geometric_median_of(rows, examples, 4));
    AggregationConfig bound = config_of("norm_bound");
    bound.norm = 0.9 * std::sqrt(static_cast<double>(elements));
    expect_near(run(bound), norm_bound_of(rows, examples, bound.norm));
    AggregationConfig clipping = config_of("centred_clipping");
    clipping.norm = bound.norm;
    clipping.passes = 3;
    std::vector<float> previous = random_rows(1, elements, random)[0];
    expect_near(estimate(*make_robust_rule(clipping), rows, weights, 2, previous),
                centred_clipping_of(rows, Doubles(previous.begin(), previous.end()), clipping.norm, 3));
  }
}

// The bits may depend on nothing but the updates.
TEST(RobustRules, TheNumberOfThreadsChangesNoBit) {
  Random random(2);
  const Rows rows = random_rows(11, 200'003, random);
  const auto weights = random_weights(11, random);
  for (const auto name : aggregation_names) {
    if (name == "mean") continue;
    SCOPED_TRACE(name);
    const auto rule = make_robust_rule(config_of(std::string(name).c_str()));
    const auto once = estimate(*rule, rows, weights, 1);
    EXPECT_EQ(estimate(*rule, rows, weights, 3), once);
    EXPECT_EQ(estimate(*rule, rows, weights, 4), once);
  }
}

TEST(RobustRules, EqualUpdatesAreTheirOwnEstimate) {
  Random random(3);
  const Rows rows(11, random_rows(1, 1'000, random)[0]);
  const std::vector<std::uint64_t> weights(11, 7);
  for (const auto name : aggregation_names) {
    if (name == "mean") continue;
    SCOPED_TRACE(name);
    const auto rule = make_robust_rule(config_of(std::string(name).c_str()));
    expect_near(estimate(*rule, rows, weights), Doubles(rows[0].begin(), rows[0].end()));
  }
}

// Two of twelve send values that are a thousand times larger, with the largest weight that a client may claim.
TEST(AdversaryRobustRules, TwoOfTwelveCannotLeadTheEstimateAway) {
  Random random(4);
  for (const double factor : {-1'000.0, 1'000.0}) {
    Rows rows = random_rows(12, 2'000, random);
    std::vector<std::uint64_t> weights(12, 100);
    for (auto& row : rows)
      for (float& value : row) value = 1 + value / 10;  // the honest ones agree about 1
    for (const std::size_t liar : {std::size_t{4}, std::size_t{9}}) {
      for (float& value : rows[liar]) value = static_cast<float>(factor);
      weights[liar] = 100;
    }
    for (const auto name : aggregation_names) {
      if (name == "mean") continue;
      SCOPED_TRACE(std::string(name) + " against " + std::to_string(factor));
      AggregationConfig config = config_of(std::string(name).c_str());
      config.faulty = 2;
      config.passes = name == "centred_clipping" ? 20 : 30;
      const auto out = estimate(*make_robust_rule(config), rows, weights);
      double mean = 0;
      for (const float value : out) mean += static_cast<double>(value) / 2'000;
      EXPECT_NEAR(mean, 1, 0.35);
    }
  }
}

TEST(TrimmedMean, LeavesOutAtLeastOneAndKeepsAtLeastOne) {
  EXPECT_EQ(TrimmedMean(0.2).trimmed(10), 2U);
  EXPECT_EQ(TrimmedMean(0.2).trimmed(14), 2U);
  EXPECT_EQ(TrimmedMean(0.2).trimmed(15), 3U);
  EXPECT_EQ(TrimmedMean(0.01).trimmed(3), 1U);
  EXPECT_EQ(TrimmedMean(0.49).trimmed(3), 1U);
  EXPECT_EQ(TrimmedMean(0.49).trimmed(4), 1U);
}

TEST(Krum, OfEqualScoresTheFirstIsTaken) {
  const Rows rows{{0}, {1}, {2}, {3}, {4}};  // 1, 2 and 3 have the same score with f = 1
  const std::vector<std::uint64_t> weights(5, 1);
  AggregationConfig config = config_of("krum");
  config.faulty = 1;
  EXPECT_EQ(estimate(*make_robust_rule(config), rows, weights), std::vector<float>{1});
}

TEST(RobustRules, NameHowManyUpdatesTheyNeed) {
  AggregationConfig config;
  config.faulty = 2;
  const auto needs = [&](const char* name) {
    config.name = name;
    return make_robust_rule(config)->updates_min();
  };
  EXPECT_EQ(needs("median"), 1U);
  EXPECT_EQ(needs("trimmed_mean"), 3U);
  EXPECT_EQ(needs("krum"), 7U);
  EXPECT_EQ(needs("bulyan"), 11U);
  config.chosen = 9;
  EXPECT_EQ(needs("multi_krum"), 9U);
}

}  // namespace
}  // namespace hansa::server
