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
    EXPECT_TRUE(optimizer->states().empty());
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
    ASSERT_EQ(optimizer->states().size(), 1U);
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

TEST(FedAvg, MultipliesTheMeanByItsLearningRate) {
  Random random(4);
  const Values mean = random_mean(1'000, random);
  const auto model = random_model(1'000, random);
  WorkerPool workers(2);
  ServerOptimizerConfig config;
  config.learning_rate = 0.3;
  std::vector<float> next(1'000);
  make_server_optimizer(config, workers)->step(model, mean, {}, next);
  for (std::size_t i = 0; i < model.size(); ++i)
    ASSERT_EQ(next[i], static_cast<float>(static_cast<double>(model[i]) + 0.3 * mean.values[i])) << i;
}

// The vectors of an optimiser, as before a run's first round.
struct StateOf {
  explicit StateOf(const ServerOptimizer& optimizer, std::size_t size) {
    for (const auto& [name, initial] : optimizer.states()) vectors.emplace_back(size, initial);
    for (auto& vector : vectors) spans.emplace_back(vector);
  }
  std::vector<std::vector<float>> vectors;
  std::vector<std::span<float>> spans;
};

// A second computation of Reddi et al. 2021, algorithm 2, in double precision and without blocks and threads.
struct AdaptiveReference {
  const ServerOptimizerConfig& config;
  std::vector<double> x, m, v;

  AdaptiveReference(const ServerOptimizerConfig& options, std::span<const float> model)
      : config(options),
        x(model.begin(), model.end()),
        m(model.size(), 0.0),
        v(model.size(), options.tau * options.tau) {}

  void step(std::span<const double> mean) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double d = mean[i];
      m[i] = config.beta1 * m[i] + (1 - config.beta1) * d;
      if (config.name == "fedadagrad") v[i] += d * d;
      if (config.name == "fedadam") v[i] = config.beta2 * v[i] + (1 - config.beta2) * d * d;
      if (config.name == "fedyogi" && v[i] != d * d)
        v[i] -= (1 - config.beta2) * d * d * (v[i] > d * d ? 1 : -1);
      x[i] += config.learning_rate * m[i] / (std::sqrt(v[i]) + config.tau);
    }
  }
};

TEST(AdaptiveOptimizers, FollowAlgorithm2OverManyRounds) {
  for (const char* name : {"fedadagrad", "fedadam", "fedyogi"}) {
    SCOPED_TRACE(name);
    ServerOptimizerConfig config{name};
    config.learning_rate = 0.03;
    config.beta1 = 0.8;
    config.beta2 = 0.95;
    config.tau = 0.01;
    for (const unsigned threads : {1U, 3U}) {
      WorkerPool workers(threads);
      const auto optimizer = make_server_optimizer(config, workers);
      Random random(5);
      auto model = random_model(elements, random);
      AdaptiveReference expected(config, model);
      StateOf state(*optimizer, elements);
      for (int round = 0; round < 20; ++round) {
        const Values mean = random_mean(elements, random);
        optimizer->step(model, mean, state.spans, model);
        expected.step(mean.values);
      }
      for (std::size_t i = 0; i < elements; ++i) ASSERT_NEAR(model[i], expected.x[i], 2e-5) << i;
      for (std::size_t i = 0; i < elements; ++i) ASSERT_NEAR(state.vectors[1][i], expected.v[i], 1e-5) << i;
    }
  }
}

// With beta1 = 0, beta2 = 0 and a large tau the step is the mean times learning_rate / tau.
TEST(AdaptiveOptimizers, WithALargeTauTheyAreScaledAveraging) {
  WorkerPool workers(1);
  ServerOptimizerConfig config{"fedadam"};
  config.beta1 = config.beta2 = 0;
  config.tau = 1e6;
  config.learning_rate = 1e6;
  const auto optimizer = make_server_optimizer(config, workers);
  StateOf state(*optimizer, 2);
  std::vector<float> model{1, 2};
  optimizer->step(model, Values({0.5, -0.25}), state.spans, model);
  EXPECT_NEAR(model[0], 1.5F, 1e-5);
  EXPECT_NEAR(model[1], 1.75F, 1e-5);
}

TEST(AdaptiveOptimizers, AValueThatNeverChangesStays) {
  WorkerPool workers(1);
  for (const char* name : {"fedadagrad", "fedadam", "fedyogi", "fedlion"}) {
    const auto optimizer = make_server_optimizer({name}, workers);
    StateOf state(*optimizer, 1);
    std::vector<float> model{3};
    for (int round = 0; round < 1'000; ++round) optimizer->step(model, Values({0.0}), state.spans, model);
    EXPECT_EQ(model[0], 3.0F) << name;
  }
}

TEST(AdaptiveOptimizers, StayFiniteAtTheLargestFloat) {
  constexpr float largest = std::numeric_limits<float>::max();
  WorkerPool workers(1);
  for (const auto name : server_optimizer_names) {
    const auto optimizer = make_server_optimizer({std::string(name)}, workers);
    StateOf state(*optimizer, 2);
    std::vector<float> model{largest, -largest};
    for (int round = 0; round < 3; ++round) optimizer->step(model, Values({1e38, -1e38}), state.spans, model);
    for (const float value : model) EXPECT_TRUE(std::isfinite(value)) << name;
    for (const auto& vector : state.vectors)
      for (const float value : vector) EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(FedLion, MovesByTheSignOfItsMomentum) {
  WorkerPool workers(1);
  ServerOptimizerConfig config{"fedlion"};
  config.learning_rate = 0.1;
  config.beta1 = 0.9;
  config.beta2 = 0.5;
  config.weight_decay = 0.2;
  const auto optimizer = make_server_optimizer(config, workers);
  StateOf state(*optimizer, 3);
  std::vector<float> model{1, 1, 1};
  optimizer->step(model, Values({0.5, -0.25, 0.0}), state.spans, model);
  EXPECT_EQ(state.vectors[0], (std::vector<float>{0.25F, -0.125F, 0}));
  EXPECT_NEAR(model[0], 1 + 0.1 * (1 - 0.2), 1e-6);
  EXPECT_NEAR(model[1], 1 + 0.1 * (-1 - 0.2), 1e-6);
  EXPECT_NEAR(model[2], 1 + 0.1 * (0 - 0.2), 1e-6);
  // The old momentum decides against a small mean of the other sign.
  optimizer->step(model, Values({-0.1, 0.1, 0.0}), state.spans, model);
  EXPECT_GT(model[0], 1.08F);
  EXPECT_LT(model[1], 0.88F);
}

// A run's state is what was stored: nothing else may decide the next step.
TEST(ServerOptimizers, AFreshObjectContinuesWithTheSameBits) {
  WorkerPool workers(2);
  for (const auto name : server_optimizer_names) {
    SCOPED_TRACE(name);
    const ServerOptimizerConfig config{std::string(name)};
    const auto steady = make_server_optimizer(config, workers);
    Random random(6);
    auto model = random_model(1'000, random), restarted = model;
    StateOf state(*steady, 1'000), kept(*steady, 1'000);
    for (int round = 0; round < 5; ++round) {
      const Values mean = random_mean(1'000, random);
      steady->step(model, mean, state.spans, model);
      make_server_optimizer(config, workers)->step(restarted, mean, kept.spans, restarted);
    }
    EXPECT_EQ(restarted, model);
    EXPECT_EQ(kept.vectors, state.vectors);
  }
}

TEST(AveragedBuffers, OnlyWhatIsTrainedGetsTheOptimisersStep) {
  for (const unsigned threads : {1U, 3U}) {
    WorkerPool workers(threads);
    ServerOptimizerConfig config{"fedadam"};
    const auto trained = make_server_optimizer(config, workers);
    config.averaged = {{10, 5}, {15, 1}, {299'000, 1'007}};
    const auto optimizer = make_server_optimizer(config, workers);
    const auto average = make_server_optimizer({"fedavg"}, workers);
    Random random(7);
    const auto model = random_model(elements, random);
    StateOf state(*optimizer, elements), all(*trained, elements);
    std::vector<float> next(elements), as_trained(elements), as_average(elements);
    const Values mean = random_mean(elements, random);
    optimizer->step(model, mean, state.spans, next);
    trained->step(model, mean, all.spans, as_trained);
    average->step(model, mean, {}, as_average);
    for (std::size_t i = 0; i < elements; ++i) {
      const bool is_buffer = (i >= 10 && i < 16) || i >= 299'000;
      ASSERT_EQ(next[i], is_buffer ? as_average[i] : as_trained[i]) << i;
    }
    EXPECT_EQ(state.vectors[0][12], 0.0F);
  }
}

TEST(ServerOptimizers, EachNameMakesOneWhoseStateNamesAreItsOwn) {
  WorkerPool workers(1);
  std::vector<std::string_view> all;
  for (const auto name : server_optimizer_names) {
    const auto optimizer = make_server_optimizer({std::string(name)}, workers);
    for (const auto& state : optimizer->states()) {
      EXPECT_TRUE(state.name.starts_with(std::string(name) + ".")) << state.name;
      EXPECT_EQ(std::ranges::count(all, state.name), 0);
      all.push_back(state.name);
    }
  }
}

}  // namespace
}  // namespace hansa::server
