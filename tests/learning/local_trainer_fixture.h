// A trainer on data that is made for a test, and the comparison of its training with LibTorch's own optimiser.
#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"

namespace hansa::learning::testing {

struct Outcome {
  TrainingResult result;
  std::vector<float> delta;
};

class LocalTrainerTest : public ::testing::Test {
 protected:
  void use(TestModel model, const DataShape& shape = {}) {
    data_ = write_data(folder_, shape);
    write_archive(model, archive_, {shape.rows, shape.columns});
    start();
  }
  void use_built_in(const std::string& name, std::uint32_t examples) {
    data_ = write_data(folder_, {examples, 28, 28, 10});
    ASSERT_TRUE(create_built_in(name, 5, archive_));
    start();
  }
  void start() {
    LocalTrainerConfig config;
    config.data = data_;
    config.memory_bytes_max = memory_bytes_max_;
    trainer_ = make_local_trainer(config);
    auto model = describe_archive(archive_);
    ASSERT_TRUE(model) << model.error().text();
    model_ = *std::move(model);
    request_.archive = archive_;
    request_.layout = model_.layout.digest();
    training_ = {2, 6, 0.05, 0, 0, 0};
    request_.seed = 11;
  }
  TrainingRequest request() const {
    TrainingRequest out = request_;
    out.method = {std::string(method_), training_options(training_)};
    return out;
  }
  Result<Outcome> train(Trainer& trainer, std::stop_token stop = {}) const {
    Outcome out;
    out.delta.assign(model_.parameters.size(), 42.0F);
    HANSA_TRY(out.result, train_on(trainer, request(), model_.parameters, out.delta, std::move(stop)));
    return out;
  }
  Outcome train() {
    auto out = train(*trainer_);
    if (!out) throw std::runtime_error(out.error().text());
    return *std::move(out);
  }
  Error refusal() {
    auto out = train(*trainer_);
    return out ? Error{ErrorCode::internal, "", "was trained", ""} : out.error();
  }
  // Compares with LibTorch's own optimiser, except for the rounding of different kernels.
  void expect_reference() {
    const Outcome trained = train();
    const std::vector<float> expected = reference_delta(archive_, data_, training_, request_.seed);
    ASSERT_LE(expected.size(), trained.delta.size());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(std::isfinite(expected[i]) && std::isfinite(trained.delta[i])) << i;
      largest = std::max(largest, std::abs(double{expected[i]}));
      difference = std::max(difference, std::abs(double{expected[i]} - double{trained.delta[i]}));
    }
    EXPECT_GT(largest, 1e-4) << "training did not change the model";
    EXPECT_LT(difference, 1e-3 * largest);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  std::uint64_t memory_bytes_max_ = 0;
  DataConfig data_;
  std::unique_ptr<Trainer> trainer_;
  ModelDescription model_;
  TrainingRequest request_;
  TrainingConfig training_;
  const char* method_ = "sgd";  // that of training_.optimizer
};

}  // namespace hansa::learning::testing
