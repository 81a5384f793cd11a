// Charts as SVG: sizes, gaps, axes, and texts of others.
#include "tools/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/store/training_metrics.h"
#include "tests/output/run_fixture.h"
#include "tools/markup.h"
#include "tools/run_charts.h"

namespace hansa::tools {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Markup, EveryByteIsMadeHarmless) {
  EXPECT_EQ(escaped("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
  EXPECT_EQ(escaped(std::string("a\0b\x1b\xff", 5)), "a\\x00b\\x1b\\xff");
  EXPECT_EQ(escaped("a\xef\xbf\xbfz"), "a?z") << "U+FFFF is no character of XML";
  EXPECT_EQ(escaped_lines("a <\r\n\tb\n"), "a &lt;\n\tb\n");
}

TEST(Chart, TicksAreRoundNumbersAroundTheValues) {
  EXPECT_THAT(axis_ticks(0.11, 0.83, 4),
              Pointwise(DoubleEq(), std::vector<double>{0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0}));
  EXPECT_THAT(axis_ticks(0, 10'000, 5), ElementsAre(0, 2000, 4000, 6000, 8000, 10'000));
  const auto large = axis_ticks(-1e300, 1e300, 5);
  EXPECT_LE(large.front(), -1e300);
  EXPECT_GE(large.back(), 1e300);
}

TEST(Chart, ThinningKeepsTheExtremesAndTheGaps) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 100'000; ++i) points.push_back({static_cast<double>(i), std::sin(i * 1e-3)});
  points[54'321].y = 99;
  points[65'432].y = -99;
  for (int i = 70'000; i < 75'000; ++i) points[static_cast<std::size_t>(i)].y = nan;
  const auto thin = thinned(points, 400);
  EXPECT_LE(thin.size(), 800U);
  EXPECT_TRUE(std::ranges::is_sorted(thin, {}, &ChartPoint::x));
  EXPECT_TRUE(std::ranges::any_of(thin, [](const auto& p) { return p.x == 54'321 && p.y == 99; }));
  EXPECT_TRUE(std::ranges::any_of(thin, [](const auto& p) { return p.x == 65'432 && p.y == -99; }));
  EXPECT_TRUE(std::ranges::any_of(thin, [](const auto& p) { return std::isnan(p.y); }));
  EXPECT_EQ(thinned(points, 100'000).size(), points.size());
}

TEST(Chart, ALineHasAGapWhereAValueIsNotFinite) {
  const Chart chart{"run", "", {{"loss", {{"training", {{1, 1}, {2, nan}, {3, 2}, {4, 3}}, 0}}, {}}}};
  const std::string svg = svg_of(chart, {});
  const std::size_t path = svg.find("class=\"line c0 d0\" d=\"M", svg.find("class=\"axis\""));
  ASSERT_NE(path, std::string::npos);
  const std::string line = svg.substr(path, svg.find("/>", path) - path);
  EXPECT_EQ(std::ranges::count(line, 'M'), 2) << line;
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Chart, ValuesThatAreExtremeOrEqualStillGiveNumbers) {
  for (const std::vector<ChartPoint>& points : {std::vector<ChartPoint>{{1, 5}},
                                                {{1, 0}, {2, 0}},
                                                {{1, 1e308}, {2, -1e308}},
                                                {{1, nan}},
                                                {{0, 1e-300}, {1, 2e-300}},
                                                {}}) {
    const std::string svg = svg_of({"run", "", {{"loss", {{"training", points, 0}}, {}}}}, {});
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

TEST(Chart, AnAxisOfZerosAloneIsNotNegative) {
  const std::string svg = svg_of({"run", "", {{"seconds", {{"round", {{1, 0}, {2, 0}}, 0}}, {}}}}, {});
  EXPECT_THAT(svg, HasSubstr(">0.2</text>"));
  EXPECT_THAT(svg, Not(HasSubstr(">-")));
}

TEST(Chart, TextsOfOthersAreEscaped) {
  const std::string evil = "\"><script>alert(1)</script>";
  const Chart chart{evil, evil, {{evil, {{evil, {{1, 1}}, 0}}, {{evil, {{1, 1}}, {{1, 2}}, 0}}}}};
  for (const ChartPlace place : {ChartPlace::file, ChartPlace::page}) {
    const std::string svg = svg_of(chart, {900, 200, place, "a"});
    EXPECT_THAT(svg, Not(HasSubstr("<script")));
    EXPECT_THAT(svg, HasSubstr("&lt;script&gt;"));
  }
}

TEST(Chart, ItsSizeDoesNotDependOnTheRounds) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 100'000; ++i) points.push_back({static_cast<double>(i), std::sin(i * 1e-3)});
  EXPECT_LT(
      svg_of({"run", "", {{"loss", {{"training", points, 0}}, {{"band", points, points, 0}}}}}, {}).size(),
      60'000U);
}

TEST(RunCharts, OneRunHasEverythingThatWasMeasured) {
  const std::vector<RunSeries> one{{"one", server::series_of(server::rows_of(server::learning_run(4)))}};
  const Chart chart = learning_chart(one);
  ASSERT_EQ(chart.panels.size(), 2U);
  EXPECT_EQ(chart.panels[0].title, "accuracy");
  EXPECT_EQ(chart.panels[1].lines.size(), 3U);
  ASSERT_EQ(chart.panels[1].bands.size(), 1U);
  EXPECT_EQ(chart.panels[1].bands[0].low.size(), 3U);
  EXPECT_THAT(chart.description, HasSubstr("evaluation 4 after round 0, 0.5 after round 4"));
}

TEST(RunCharts, TheSpreadHasMeanAndWorstTenthOfGlobalAndPersonalModels) {
  server::RunView view = server::learning_run(3);
  for (std::size_t i = 1; i < view.rounds.size(); ++i)
    for (std::size_t c = 0; c < view.rounds[i].participations.size(); ++c) {
      Metrics& metrics = view.rounds[i].participations[c].metrics;
      const auto loss = static_cast<double>(c + 1);
      std::erase_if(metrics, [](const Metric& metric) { return metric.name == "held_out_loss"; });
      metrics.push_back({"held_out_loss", 10 * loss, 10});
      metrics.push_back({"held_out_personal_loss", 5 * loss, 10});
    }
  const RunSeries run{"one", server::series_of(server::rows_of(view))};
  const Chart chart = spread_chart(run);
  ASSERT_EQ(chart.panels.size(), 1U) << "nobody measured accuracy";
  EXPECT_EQ(chart.panels[0].title, "loss held out on the clients");
  ASSERT_EQ(chart.panels[0].lines.size(), 4U);
  const auto counted = static_cast<double>(server::counted_clients(view.rounds[1]));
  std::vector<double> first;
  for (const ChartLine& line : chart.panels[0].lines) {
    ASSERT_EQ(line.points.size(), 2U) << line.label << ": of round 1 and 2, which the next rounds measured";
    EXPECT_EQ(line.points[0].x, 1);
    first.push_back(line.points[0].y);
  }
  ASSERT_EQ(counted, 2) << "the losses of the counted clients are 1 and 2";
  EXPECT_THAT(first, ElementsAre(1.5, 2, 0.75, 1));
  EXPECT_THAT(chart.description, HasSubstr("worst tenth of the clients 2 after round 1"));
}

TEST(RunCharts, OfAnIntervalTheSpreadHasTheWorseEnd) {
  const RunSeries run{"one",
                      {{"held_out/loss.mean_of_clients.from", {{RoundId{1}, 0, 0.5}, {RoundId{2}, 0, 0.25}}},
                       {"held_out/loss.mean_of_clients.to", {{RoundId{1}, 0, 0.7}}},
                       {"held_out/loss.mean_of_clients", {{RoundId{3}, 0, 0}}},
                       {"held_out/accuracy.worst_tenth.from", {{RoundId{1}, 0, 0.1}}},
                       {"held_out/accuracy.worst_tenth.to", {{RoundId{1}, 0, 0.2}}}}};
  const Chart chart = spread_chart(run);
  ASSERT_EQ(chart.panels.size(), 2U);
  ASSERT_EQ(chart.panels[0].lines.size(), 1U);
  EXPECT_EQ(chart.panels[0].lines[0].points[0].y, 0.1);
  const auto& loss = chart.panels[1].lines[0].points;
  ASSERT_EQ(loss.size(), 2U) << "an interval without an upper end has no worse end";
  EXPECT_EQ(loss[0].y, 0.7);
  EXPECT_EQ(loss[1].y, 0);
  EXPECT_EQ(loss[1].x, 3);
}

TEST(RunCharts, OfSeveralRunsEachHasOneLine) {
  std::vector<RunSeries> runs{{"one", server::series_of(server::rows_of(server::learning_run(4)))},
                              {"two", {{"train/loss", {{RoundId{1}, 0, 3}}}}},
                              {"empty", {}}};
  const Chart chart = learning_chart(runs);
  ASSERT_EQ(chart.panels.size(), 2U);
  ASSERT_EQ(chart.panels[1].lines.size(), 2U);
  EXPECT_EQ(chart.panels[1].lines[0].label, "one (evaluation)");
  EXPECT_EQ(chart.panels[1].lines[1].label, "two (training)");
  const std::vector<std::string> names{"train/loss", "none/none"};
  EXPECT_EQ(series_chart(runs, names).panels.size(), 1U);
}

}  // namespace
}  // namespace hansa::tools
