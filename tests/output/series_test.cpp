// The series of a run: their names, rounds and times.
#include "server/output/series.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/output/run_fixture.h"

namespace hansa::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double started = 1767323040;  // 2026-01-02T03:04:00Z

double value_of(const SeriesRow& row, std::string_view name) {
  const auto found = std::ranges::find(row.values, name, &SeriesValue::name);
  EXPECT_NE(found, row.values.end()) << name;
  return found == row.values.end() ? -1 : found->value;
}
std::vector<std::string> names_of(const SeriesRow& row) {
  std::vector<std::string> out;
  for (const SeriesValue& value : row.values) out.push_back(value.name);
  return out;
}

TEST(Series, ARoundHasItsClientsBytesAndMeans) {
  const SeriesRow row = round_row(learning_round(4));
  EXPECT_EQ(row.round, RoundId{4});
  EXPECT_EQ(row.time, started + 30.5);
  EXPECT_EQ(value_of(row, "clients/selected"), 7);
  EXPECT_EQ(value_of(row, "clients/counted"), 2);
  EXPECT_EQ(value_of(row, "clients/lost"), 5);
  EXPECT_EQ(value_of(row, "bytes/up"), 144'000);
  EXPECT_EQ(value_of(row, "bytes/down"), 2000);
  EXPECT_EQ(value_of(row, "round/seconds"), 30.5);
  EXPECT_EQ(value_of(row, "round/examples"), 800);
  EXPECT_EQ(value_of(row, "round/update_norm"), 0.5);
  EXPECT_EQ(value_of(row, "train/loss"), 0.25);
  EXPECT_THAT(names_of(row), Not(Contains(HasSubstr("held_out"))));
  EXPECT_THAT(names_of(row), Not(Contains(HasSubstr("secure"))));
}

TEST(Series, ANormThatIsNotKnownIsLeftOut) {
  RoundRecord record = learning_round(4);
  record.update_norm = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(names_of(round_row(record)), Not(Contains("round/update_norm")));
}

TEST(Series, ASecureRoundHasTheFiguresOfItsSum) {
  const SeriesRow row = round_row(record_of(2, Digest{}, Digest{}));
  EXPECT_EQ(value_of(row, "secure/recovered"), 3);
  EXPECT_EQ(value_of(row, "secure/threshold"), 21);
  EXPECT_EQ(value_of(row, "secure/unmask_seconds"), 1e-3);
  EXPECT_EQ(value_of(row, "train/loss"), 0.5);
  EXPECT_EQ(value_of(row, "bytes/down"), static_cast<double>(UINT64_MAX)) << "a sum that does not fit";
}

TEST(Series, HeldOutValuesAreOfTheModelBefore) {
  const SeriesRow row = held_out_row(learning_round(4));
  EXPECT_EQ(row.round, RoundId{3});
  EXPECT_EQ(row.time, started);
  EXPECT_THAT(names_of(row), ElementsAre("held_out/loss", "held_out/loss.worst",
                                         "held_out/loss.lower_quartile", "held_out/loss.median",
                                         "held_out/loss.upper_quartile", "held_out/loss.mean_of_clients",
                                         "held_out/loss.worst_tenth", "held_out/loss.clients"));
  EXPECT_EQ(value_of(row, "held_out/loss"), 0.5);
  EXPECT_EQ(value_of(row, "held_out/loss.clients"), 2);
  EXPECT_THAT(held_out_row(learning_round(1)).values, ElementsAre());
}

TEST(Series, NamesOfClientsCannotLeaveTheirFolderOrClash) {
  EXPECT_EQ(series_name("train", "../../etc/passwd"), "train/.._.._etc_passwd");
  EXPECT_EQ(series_name("train", ".."), "train/__");
  EXPECT_EQ(series_name("train", ""), "train/_");
  EXPECT_EQ(series_name("train", "a\nb\"c\xff"), "train/a_b_c_");
  EXPECT_LE(series_name("train", std::string(1000, 'a')).size(), series_name_bytes_max);
  const SeriesRow row = evaluation_row(RoundId{1}, {{"a b", 1, 1}, {"a_b", 2, 1}, {"empty", 1, 0}}, 0);
  EXPECT_THAT(names_of(row), ElementsAre("evaluation/a_b")) << "a second one of the same name is left out";
  EXPECT_EQ(row.values.front().value, 1);
}

TEST(Series, TheRowsOfARunBecomeSeriesByRound) {
  const auto all = series_of(rows_of(learning_run(3)));
  const Series* loss = find_series(all, "evaluation/loss");
  ASSERT_NE(loss, nullptr);
  ASSERT_EQ(loss->points.size(), 4U);
  for (std::uint32_t round = 0; round < 4; ++round) EXPECT_EQ(loss->points[round].round, RoundId{round});
  EXPECT_EQ(loss->points[0].value, 4);
  EXPECT_EQ(loss->points[0].time, started - 180) << "the initial model: when round 1 started";
  const Series* held_out = find_series(all, "held_out/loss");
  ASSERT_NE(held_out, nullptr);
  EXPECT_EQ(held_out->points.size(), 2U) << "nobody measured the last model";
  EXPECT_EQ(find_series(all, "train/none"), nullptr);
}

TEST(Series, OfTwoRowsForARoundTheLastCounts) {
  const std::vector<SeriesRow> rows{
      {RoundId{2}, 0, {{"a/b", 1}}}, {RoundId{1}, 0, {{"a/b", 2}}}, {RoundId{2}, 0, {{"a/b", 3}}}};
  const auto all = series_of(rows);
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(all[0].points.size(), 2U);
  EXPECT_EQ(all[0].points[0].value, 2);
  EXPECT_EQ(all[0].points[1].value, 3);
}

TEST(Series, LostClientsAreNamedWithTheirReasons) {
  EXPECT_EQ(lost_text(learning_round(1), 2),
            "visby: late (after the deadline: \"12\" s); z-declined: declined (so); and 3 more");
  EXPECT_EQ(outcome_text(Outcome::no_answer), "no answer");
}

}  // namespace
}  // namespace hansa::server
