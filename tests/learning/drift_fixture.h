// Methods against drift on a client whose examples are all equal, whose trainings a test computes again in double precision.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/single_example.h"

namespace hansa::learning::testing {

inline constexpr std::size_t inputs = 3, classes = 2, elements = (inputs + 1) * classes;

inline Doubles doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

inline void expect_near(std::span<const float> found, const Doubles& expected, const char* what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2e-5) << what << " " << i;
}

struct DriftCase {
  const char* name;
  PlainSgd sgd;
};
inline const DriftCase drift_cases[] = {
    {"plain", {.learning_rate = 0.1, .steps = 1}},
    {"steps", {.learning_rate = 0.2, .weight_decay = 0.05, .steps = 9}},
    {"momentum", {.learning_rate = 0.05, .momentum = 0.8, .steps = 9}},
    {"nesterov",
     {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true, .steps = 6}},
};

class DriftTest : public ::testing::Test {
 protected:
  DriftTest() {
    write_text(folder_ / "rows.csv", data_.csv());
    LocalTrainerConfig config;
    config.data.kind = "csv";
    config.data.file = folder_ / "rows.csv";
    config.data.label = "y";
    trainer_ = make_local_trainer(config);
    EXPECT_TRUE(create_built_in("logistic", 3, archive_, {inputs, classes}));
    const auto facts = describe_archive(archive_);
    EXPECT_TRUE(facts) << facts.error().text();
    model_ = facts->parameters;
    EXPECT_EQ(model_.size(), elements);
    request_.archive = archive_;
    request_.layout = facts->layout.digest();
    request_.seed = 7;
    Random random(5);
    control_.resize(elements);
    for (float& value : control_) value = static_cast<float>(random.normal());
  }
  // Three steps in each epoch, the last of one example.
  void use(const char* method, const PlainSgd& sgd, std::vector<Option> own = {}) {
    request_.method = sgd_method({.epochs = static_cast<std::uint32_t>((sgd.steps + 2) / 3),
                                  .batch_size = 3,
                                  .learning_rate = sgd.learning_rate,
                                  .momentum = sgd.momentum,
                                  .weight_decay = sgd.weight_decay,
                                  .steps_max = static_cast<std::uint32_t>(sgd.steps),
                                  .nesterov = sgd.nesterov});
    request_.method.name = method;
    for (Option& option : own) request_.method.options.push_back(std::move(option));
  }
  TrainingResult train() {
    delta_.assign(elements, 42.0F);
    change_.assign(elements, 42.0F);
    request_.inputs = {{"model", model_}};
    std::vector<OutputVector> outputs{{"delta", delta_}};
    if (request_.method.name == "scaffold") {
      request_.inputs.push_back({"control", control_});
      outputs.push_back({"control_change", change_});
    }
    auto trained = trainer_->train(request_, outputs, {});
    EXPECT_TRUE(trained) << trained.error().text();
    return trained ? *std::move(trained) : TrainingResult{};
  }
  Doubles minus_model(Doubles w) const {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= static_cast<double>(model_[i]);
    return w;
  }

  TemporaryFolder folder_;
  const SingleExample data_{{0.5, -1.25, 2}, 1, 7};
  std::filesystem::path archive_ = folder_ / "model.pt";
  std::unique_ptr<Trainer> trainer_;
  TrainingRequest request_;
  std::vector<float> model_, control_, delta_, change_;
};

inline const auto nothing = [](const auto&...) {};

}  // namespace hansa::learning::testing
