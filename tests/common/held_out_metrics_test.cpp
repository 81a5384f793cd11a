// The metrics of held out examples: their limits, and the bins that show in a secure sum how they spread.
#include "common/held_out_metrics.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace hansa {
namespace {

TEST(HeldOutMetrics, TheBinsCoverAllValuesWithoutGaps) {
  for (const std::string_view name : held_out_names) {
    SCOPED_TRACE(name);
    const std::size_t bins = held_out_bins(name);
    for (std::size_t bin = 0; bin + 1 < bins; ++bin)
      EXPECT_EQ(held_out_bin(name, bin).most, held_out_bin(name, bin + 1).least) << bin;
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const Interval interval = held_out_bin(name, bin);
      if (std::isfinite(interval.least)) {
        EXPECT_EQ(held_out_bin_of(name, interval.least), bin);
      }
    }
  }
  EXPECT_EQ(held_out_bin_of(held_out_accuracy, 1.0), 19U);
  EXPECT_EQ(held_out_bin(held_out_accuracy, 19).most, 1.0);
  EXPECT_EQ(held_out_bin_of(held_out_loss, -1e9), 0U);
  EXPECT_EQ(held_out_bin_of(held_out_loss, 1e9), 31U);
  EXPECT_EQ(held_out_bin(held_out_loss, 31).least, 1024.0);
  EXPECT_EQ(held_out_bin(held_out_loss, 0).most, 1.0 / 32);
}

TEST(HeldOutMetrics, AClientIsInOneBinOfEach) {
  Metrics metrics{{"loss", 5, 10}, {"held_out_loss", 6, 10}, {"held_out_accuracy", 7, 10}};
  append_held_out_bins(metrics);
  ASSERT_EQ(metrics.size(), 3U + 32 + 20);
  double loss = 0, accuracy = 0;
  for (const Metric& metric : metrics) {
    if (metric.name.starts_with("held_out_loss.")) loss += metric.sum;
    if (metric.name.starts_with("held_out_accuracy.")) accuracy += metric.sum;
    if (metric.name.find('.') != std::string::npos) {
      EXPECT_EQ(metric.count, 1) << metric.name;
    }
  }
  EXPECT_EQ(loss, 1);
  EXPECT_EQ(accuracy, 1);
  EXPECT_EQ(mean_of(metrics, "held_out_loss.09"), 1.0);  // 0.5 to 0.707
  EXPECT_EQ(mean_of(metrics, "held_out_accuracy.14"), 1.0);
}

TEST(HeldOutMetrics, TheNamesOfASumAreThoseThatAClientHas) {
  Metrics metrics;
  const std::vector<std::string> own{"auc", "f1-score"};
  for (const std::string& name : held_out_metric_names(PersonalModel::present, own))
    metrics.push_back({name, 1, 2});
  append_held_out_bins(metrics);
  std::set<std::string> of_client, of_sum;
  for (const Metric& metric : metrics) of_client.insert(metric.name);
  for (const std::string& name : held_out_sum_names(PersonalModel::present, own)) {
    of_sum.insert(name);
    EXPECT_TRUE(is_of_held_out(name)) << name;
  }
  EXPECT_EQ(of_client, of_sum);
  EXPECT_EQ(metrics.size(), 4U + 104 + 4);
  EXPECT_EQ(held_out_sum_names(PersonalModel::absent, {}).size(), 54U);
  EXPECT_EQ(held_out_sum_names(PersonalModel::absent, own).size(), 56U);
  EXPECT_FALSE(is_of_held_out("loss"));
  EXPECT_FALSE(is_of_held_out("held_out_secret"));
}

TEST(AdversaryHeldOutMetrics, AnOwnMetricHasAPrefixAndAPlainName) {
  for (const char* name : {"held_out_own.auc", "held_out_personal_own.F1_score-2"}) {
    EXPECT_TRUE(is_own_metric(name)) << name;
    EXPECT_TRUE(is_held_out_metric(name)) << name;
    EXPECT_FALSE(is_loss(name)) << name;
  }
  EXPECT_FALSE(is_loss("held_out_own.my_loss"));
  for (const std::string& name :
       {std::string("held_out_own."), std::string("held_out_own.loss"), std::string("held_out_own.accuracy"),
        std::string("held_out_own.a.b"), std::string("held_out_own.\x1b[31m"),
        "held_out_own." + std::string(33, 'a'), std::string("held_out_own")}) {
    EXPECT_FALSE(is_own_metric(name)) << name;
    EXPECT_FALSE(is_of_held_out(name)) << name;
  }
  EXPECT_TRUE(is_possible({"held_out_own.auc", -2e9, 2}));
  EXPECT_FALSE(is_possible({"held_out_own.auc", 2.1e9, 2}));
}

TEST(AdversaryHeldOutMetrics, WhatCannotBeASumOverExamplesIsNotPossible) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(is_possible({"held_out_loss", -3, 1}));
  EXPECT_TRUE(is_possible({"held_out_loss", 2e9, 2}));
  EXPECT_TRUE(is_possible({"held_out_accuracy", 2, 2}));
  const Metric wrong[] = {{"held_out_loss", nan, 1},      {"held_out_loss", infinity, 1},
                          {"held_out_loss", 1, nan},      {"held_out_loss", 1, 0},
                          {"held_out_loss", 1, -1},       {"held_out_loss", 2.1e9, 2},
                          {"held_out_loss", 1, infinity}, {"held_out_accuracy", 3, 2},
                          {"held_out_accuracy", -1, 2},   {"held_out_accuracy", nan, 2}};
  for (const Metric& metric : wrong)
    EXPECT_FALSE(is_possible(metric)) << metric.name << " " << metric.sum << " / " << metric.count;
}

}  // namespace
}  // namespace hansa
