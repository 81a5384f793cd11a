#include "server/optimizers/server_optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"

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

Values random_mean(std::size_t elements, Random& random) {
  std::vector<double> out(elements);
  for (double& value : out) value = 0.1 * random.normal();
  return Values(std::move(out));
}

std::vector<float> random_model(std::size_t elements, Random& random) {
  std::vector<float> out(elements);
  for (float& value : out) value = static_cast<float>(random.normal());
  return out;
}

// Enough values to use all threads of a worker pool, plus a remainder.
constexpr std::size_t elements = 300'007;

TEST(FedAvg, AddsTheMeanToTheModelAndKeepsNothing) {
  Random random(1);
  const Values mean = random_mean(elements, random);
  const auto model = random_model(elements, random);
  for (const unsigned threads : {1U, 3U}) {
    WorkerPool workers(threads);
    const auto optimizer = make_server_optimizer({"fedavg"}, workers);
    EXPECT_TRUE(optimizer->state_names().empty());
    std::vector<float> next(elements);
    optimizer->step(model, mean, {}, next);
    for (std::size_t i = 0; i < elements; ++i)
      ASSERT_EQ(next[i], static_cast<float>(static_cast<double>(model[i]) + mean.values[i])) << i;
    std::vector<float> in_place = model;
    optimizer->step(in_place, mean, {}, in_place);
    EXPECT_EQ(in_place, next);
  }
}

TEST(FedAvg, StaysFiniteAtTheLargestFloat) {
  WorkerPool workers(1);
  constexpr float largest = std::numeric_limits<float>::max();
  std::vector<float> model{largest, -largest};
  make_server_optimizer({"fedavg"}, workers)->step(model, Values({1e38, -1e38}), {}, model);
  EXPECT_EQ(model, (std::vector<float>{largest, -largest}));
}

TEST(FedAvgM, FollowsItsEquationsOverSeveralRounds) {
  for (const unsigned threads : {1U, 3U}) {
    WorkerPool workers(threads);
    const ServerOptimizerConfig config{"fedavgm", 0.9};
    const auto optimizer = make_server_optimizer(config, workers);
    ASSERT_EQ(optimizer->state_names().size(), 1U);
    Random random(2);
    auto model = random_model(elements, random);
    auto expected = model;
    std::vector<float> velocity(elements), expected_velocity(elements);
    const std::span<float> state[] = {velocity};
    for (int round = 0; round < 4; ++round) {
      const Values mean = random_mean(elements, random);
      optimizer->step(model, mean, state, model);
      for (std::size_t i = 0; i < elements; ++i) {
        expected_velocity[i] =
            static_cast<float>(0.9 * static_cast<double>(expected_velocity[i]) + mean.values[i]);
        expected[i] =
            static_cast<float>(static_cast<double>(expected[i]) + static_cast<double>(expected_velocity[i]));
      }
      ASSERT_EQ(velocity, expected_velocity) << round;
      ASSERT_EQ(model, expected) << round;
    }
  }
}

TEST(FedAvgM, WithoutMomentumIsFedAvg) {
  WorkerPool workers(2);
  Random random(3);
  const Values mean = random_mean(1'000, random);
  const auto model = random_model(1'000, random);
  std::vector<float> plain(1'000), with(1'000), velocity(1'000);
  const std::span<float> state[] = {velocity};
  make_server_optimizer({"fedavg"}, workers)->step(model, mean, {}, plain);
  make_server_optimizer({"fedavgm", 0.0}, workers)->step(model, mean, state, with);
  for (std::size_t i = 0; i < model.size(); ++i) ASSERT_NEAR(plain[i], with[i], 1e-6) << i;
}

TEST(ServerOptimizers, EachNameMakesOneWhoseStateNamesAreItsOwn) {
  WorkerPool workers(1);
  std::vector<std::string_view> all;
  for (const auto name : server_optimizer_names) {
    const auto optimizer = make_server_optimizer({std::string(name)}, workers);
    for (const auto state : optimizer->state_names()) {
      EXPECT_TRUE(state.starts_with(std::string(name) + ".")) << state;
      EXPECT_EQ(std::ranges::count(all, state), 0);
      all.push_back(state);
    }
  }
}

}  // namespace
}  // namespace hansa::server
