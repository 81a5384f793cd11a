// Which examples are held out: the right fraction, the same ones wherever they are, and apart from the others.
#include "learning/hold_out.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "common/hold_out.h"
#include "common/random.h"
#include "learning/data/dense_source.h"

namespace hansa::learning {
namespace {

using Row = std::vector<float>;

std::vector<Row> rows(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<Row> out(count, Row(3));
  for (Row& row : out)
    for (float& value : row) value = static_cast<float>(random.normal());
  return out;
}

DenseSource source_of(const std::vector<Row>& rows) {
  Examples examples(one_input({3}, class_target(2)));
  for (const Row& row : rows) {
    std::vector<float>& inputs = examples.values<float>(0);
    inputs.insert(inputs.end(), row.begin(), row.end());
    examples.values<std::int64_t>(1).push_back(row[0] > 0 ? 1 : 0);
  }
  return {"rows", std::move(examples)};
}

std::set<Row> held_out(const std::vector<Row>& rows, double fraction, std::uint64_t key) {
  std::set<Row> out;
  const ExampleSplit split = split_examples(source_of(rows), fraction, key).value();
  for (const std::uint32_t index : split.held_out) out.insert(rows[index]);
  return out;
}

TEST(HoldOut, EachExampleIsOnOneSideAndTheFractionIsRight) {
  const auto all = rows(5'000, 1);
  for (const double fraction : {0.1, 0.2, 0.5}) {
    const ExampleSplit split = split_examples(source_of(all), fraction, 42).value();
    std::vector<std::uint32_t> both = split.training;
    both.insert(both.end(), split.held_out.begin(), split.held_out.end());
    std::ranges::sort(both);
    ASSERT_EQ(both.size(), all.size());
    for (std::uint32_t i = 0; i < both.size(); ++i) ASSERT_EQ(both[i], i);
    EXPECT_NEAR(static_cast<double>(split.held_out.size()) / 5'000, fraction, 0.03);
    EXPECT_TRUE(std::ranges::is_sorted(split.training));
  }
}

TEST(HoldOut, AnExampleKeepsItsSideWhenOthersArriveAndAllMove) {
  auto data = rows(300, 2);
  const std::set<Row> before = held_out(data, 0.2, 7);
  ASSERT_FALSE(before.empty());
  const auto arrived = rows(500, 3);
  data.insert(data.end(), arrived.begin(), arrived.end());
  Random(4).shuffle(std::span(data));
  const std::set<Row> after = held_out(data, 0.2, 7);
  for (const Row& row : before) EXPECT_TRUE(after.contains(row));
  const auto first = rows(300, 2);
  for (const Row& row : first) EXPECT_EQ(before.contains(row), after.contains(row));
}

TEST(HoldOut, EqualInputsAreOnTheSameSide) {
  auto data = rows(200, 5);
  const auto again = data;
  data.insert(data.end(), again.begin(), again.end());
  const ExampleSplit split = split_examples(source_of(data), 0.3, 9).value();
  for (const std::uint32_t index : split.held_out)
    EXPECT_TRUE(std::ranges::binary_search(split.held_out, (index + 200) % 400)) << index;
}

// Otherwise the sums of two fractions that differ by little would differ by one example.
TEST(HoldOut, AnotherDeviceAndAnotherFractionHoldOthersOut) {
  const auto data = rows(1'000, 6);
  const std::set<Row> mine = held_out(data, 0.2, 1);
  const auto common = [&](const std::set<Row>& others) {
    return std::ranges::count_if(others, [&](const Row& row) { return mine.contains(row); });
  };
  EXPECT_LT(common(held_out(data, 0.2, 2)), 100);
  EXPECT_LT(common(held_out(data, 0.25, 1)), 100);
  EXPECT_EQ(common(held_out(data, 0.2, 1)), static_cast<std::ptrdiff_t>(mine.size()));
}

TEST(HoldOut, AFractionIsAMultipleOfATwentieth) {
  for (const double fraction : {0.05, 0.1, 0.15, 0.2, 0.35, 0.5})
    EXPECT_TRUE(is_hold_out_fraction(fraction)) << fraction;
  for (const double fraction : {0.0, 1e-9, 0.01, 0.049, 0.2001, 0.55, 1.0, -0.1, std::nan("")})
    EXPECT_FALSE(is_hold_out_fraction(fraction)) << fraction;
}

TEST(HoldOut, AStopEndsTheReading) {
  std::stop_source stop;
  stop.request_stop();
  const auto split = split_examples(source_of(rows(10, 7)), 0.2, 1, stop.get_token());
  ASSERT_FALSE(split);
  EXPECT_EQ(split.error().reason.code, ReasonCode::stopped);
}

TEST(HoldOut, WithoutAFractionAllAreForTraining) {
  const ExampleSplit split = split_examples(source_of(rows(10, 7)), 0, 1).value();
  EXPECT_EQ(split.training.size(), 10U);
  EXPECT_TRUE(split.held_out.empty());
}

TEST(HoldOut, ASubsetReadsItsOwnExamples) {
  const auto data = rows(10, 8);
  const DenseSource source = source_of(data);
  const ExampleSubset subset(source, {2, 5, 9});
  ASSERT_EQ(subset.example_count(), 3U);
  const std::uint32_t indices[] = {2, 0};
  const std::vector<float> inputs = read_tensor<float>(subset, 0, indices).value();
  const std::vector<std::int64_t> targets = read_tensor<std::int64_t>(subset, 1, indices).value();
  EXPECT_EQ(Row(inputs.begin(), inputs.begin() + 3), data[9]);
  EXPECT_EQ(Row(inputs.begin() + 3, inputs.end()), data[2]);
  EXPECT_EQ(targets[0], data[9][0] > 0 ? 1 : 0);
}

}  // namespace
}  // namespace hansa::learning
