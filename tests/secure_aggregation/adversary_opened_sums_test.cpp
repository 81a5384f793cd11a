// Attacks that compare two sums of the same updates.
#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/opened_sums.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::size_t clients_min = 3;

OpenedSum sum_of(std::string_view model, std::string_view update, std::initializer_list<int> survivors) {
  OpenedSum out{sha256(model), checksum(update), {}};
  for (const int client : survivors) out.survivors.push_back(tag_of("client-" + std::to_string(client)));
  std::ranges::sort(out.survivors);
  return out;
}

TEST(AdversaryOpenedSums, ASecondSumWithOneClientFewerIsRefused) {
  OpenedSums opened;
  opened.add(sum_of("m", "u", {1, 2, 3, 4, 5}));
  EXPECT_FALSE(opened.check(sum_of("m", "u", {1, 2, 3, 4}), clients_min));
  EXPECT_FALSE(opened.check(sum_of("m", "u", {1, 2, 3, 4, 5, 6}), clients_min));
  EXPECT_FALSE(opened.check(sum_of("m", "u", {1, 2, 3, 4, 6}), clients_min)) << "one client exchanged";
  EXPECT_TRUE(opened.check(sum_of("m", "u", {1, 2, 3, 4, 5}), clients_min)) << "the same sum again";
  EXPECT_TRUE(opened.check(sum_of("m", "u", {1, 2, 6, 7, 8}), clients_min)) << "three exchanged";
  EXPECT_TRUE(opened.check(sum_of("m", "another", {1, 2, 3, 4}), clients_min)) << "trained again";
  EXPECT_TRUE(opened.check(sum_of("another", "u", {1, 2, 3, 4}), clients_min));
}

// One update and one set of survivors, again and again with another clip: the sums of clamped values would show single
// values.
TEST(AdversaryOpenedSums, TheSameSumOnAnotherGridIsAnotherSum) {
  OpenedSums opened;
  const auto on_grid = [](int grid) {
    OpenedSum out = sum_of("m", "u", {1, 2, 3, 4, 5});
    out.grid = sha256(std::to_string(grid));
    return out;
  };
  for (std::size_t i = 0; i < sums_per_model_max; ++i) {
    const OpenedSum sum = on_grid(static_cast<int>(i));
    ASSERT_TRUE(opened.check(sum, clients_min)) << i;
    opened.add(sum);
  }
  EXPECT_FALSE(opened.check(on_grid(1'000), clients_min));
  EXPECT_TRUE(opened.check(on_grid(3), clients_min)) << "one of them again";
}

TEST(AdversaryOpenedSums, AModelHasALimitedNumberOfSums) {
  OpenedSums opened;
  for (std::size_t i = 0; i < sums_per_model_max; ++i) {
    const auto sum = sum_of("m", std::to_string(i), {1, 2, 3, static_cast<int>(4 + i)});
    ASSERT_TRUE(opened.check(sum, clients_min)) << i;
    opened.add(sum);
  }
  EXPECT_FALSE(opened.check(sum_of("m", "next", {1, 2, 3}), clients_min));
  EXPECT_TRUE(opened.check(sum_of("m", "0", {1, 2, 3, 4}), clients_min)) << "one of them again";
  EXPECT_TRUE(opened.check(sum_of("another", "next", {1, 2, 3}), clients_min));
}

// Whatever an aggregator asks for, no two answered sums of one update differ by few clients.
// What clients measure of a model does not change from one training to the next: the difference of two sums would show
// the measurements of those that only one of them contains.
// The aggregator chooses what each client holds out, so that all parts of the second sum differ from the first.
TEST(AdversaryOpenedSums, StatisticsWithoutOneClientAreRefusedAlsoIfEveryPartIsAnother) {
  OpenedSums opened;
  opened.add(sum_of("m", "all rows", {1, 2, 3, 4, 5}));
  EXPECT_FALSE(opened.check_statistics(sum_of("m", "some rows", {1, 2, 3, 4}), clients_min));
  EXPECT_FALSE(opened.check_statistics(sum_of("m", "some rows", {1, 2, 3, 4, 5}), clients_min))
      << "the difference is what is held out";
  EXPECT_TRUE(opened.check_statistics(sum_of("m", "all rows", {1, 2, 3, 4, 5}), clients_min)) << "again";
  EXPECT_TRUE(opened.check_statistics(sum_of("m", "some rows", {1, 2, 6, 7, 8}), clients_min));
  EXPECT_TRUE(opened.check_statistics(sum_of("of other columns", "some rows", {1, 2, 3, 4}), clients_min));
}

TEST(AdversaryOpenedSums, MeasurementsOfAModelAreOpenedOnce) {
  OpenedSums sums;
  const OpenedSum first = sum_of("m", "u", {1, 2, 3, 4});
  EXPECT_TRUE(sums.check_measured(first));
  sums.add(first);
  EXPECT_TRUE(sums.check_measured(first)) << "the same sum shows nothing new";
  EXPECT_FALSE(sums.check_measured(sum_of("m", "trained again", {1, 2, 3, 4, 5})));
  EXPECT_TRUE(sums.check_measured(sum_of("next", "trained again", {1, 2, 3, 4, 5})));
}

TEST(AdversaryOpenedSums, NoPairOfAnsweredSumsShowsFewClients) {
  Random random(1);
  for (int attempt = 0; attempt < 200; ++attempt) {
    OpenedSums opened;
    std::vector<OpenedSum> answered;
    for (int i = 0; i < 60; ++i) {
      OpenedSum sum = sum_of("m", random.chance(0.7) ? "u" : "v", {});
      for (int client = 0; client < 12; ++client)
        if (random.chance(0.6)) sum.survivors.push_back(tag_of(std::to_string(client)));
      std::ranges::sort(sum.survivors);
      if (!opened.check(sum, clients_min)) continue;
      opened.add(sum);
      answered.push_back(sum);
    }
    EXPECT_FALSE(answered.empty());
    for (const OpenedSum& a : answered)
      for (const OpenedSum& b : answered) {
        if (a.update != b.update || a.survivors == b.survivors) continue;
        std::vector<ClientTag> only_a;
        std::ranges::set_difference(a.survivors, b.survivors, std::back_inserter(only_a));
        EXPECT_GE(only_a.size(), clients_min);
      }
  }
}

}  // namespace
}  // namespace hansa::secure_aggregation
