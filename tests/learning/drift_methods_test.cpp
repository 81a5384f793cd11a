// FedProx, SCAFFOLD, FedNova and FedDyn on the client, against a second computation in double precision.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "common/random.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"
#include "tests/learning/drift_fixture.h"
#include "tests/learning/single_example.h"

namespace hansa::learning {
namespace {

using testing::Doubles;
using testing::doubles;
using testing::drift_cases;
using ::testing::Each;
using testing::elements;
using testing::expect_near;
using ::testing::HasSubstr;
using testing::nothing;
using testing::PlainSgd;

class DriftMethods : public testing::DriftTest {};

TEST_F(DriftMethods, FedProxAddsTheGradientOfItsTerm) {
  for (const auto& [name, sgd] : drift_cases)
    for (const double mu : {0.01, 2.0}) {
      SCOPED_TRACE(std::string(name) + ", mu " + std::to_string(mu));
      use("fedprox", sgd, {{"mu", mu}});
      EXPECT_THAT(train().kept, ::testing::IsEmpty());
      const Doubles x = doubles(model_);
      const auto pull = [&](const Doubles& w, Doubles& g) {
        for (std::size_t i = 0; i < g.size(); ++i) g[i] += mu * (w[i] - x[i]);
      };
      expect_near(delta_, minus_model(descend(data_, x, sgd, pull, nothing)), "delta");
    }
}

TEST_F(DriftMethods, FedProxWithoutItsTermIsSgdBitForBit) {
  for (const auto& [name, sgd] : drift_cases) {
    use("sgd", sgd);
    train();
    const std::vector<float> by_sgd = delta_;
    use("fedprox", sgd, {{"mu", 0.0}});
    train();
    EXPECT_EQ(delta_, by_sgd) << name;
  }
}

TEST_F(DriftMethods, ScaffoldCorrectsTheGradientsAndChangesItsVariateByOptionTwo) {
  for (const auto& [name, sgd] : drift_cases)
    for (const std::string correction : {"inside", "outside"}) {
      SCOPED_TRACE(std::string(name) + ", " + correction);
      use("scaffold", sgd,
          {{"correction", correction}, {"output_scale", 8.0}, {"run", std::string("run-1")}});
      request_.kept.clear();
      const Doubles x = doubles(model_), c = doubles(control_);
      Doubles own(elements);  // zero at first
      for (int task = 0; task < 3; ++task) {
        const TrainingResult trained = train();
        Doubles g_correction(elements);
        for (std::size_t i = 0; i < elements; ++i) g_correction[i] = c[i] - own[i];
        const auto inside = [&](const Doubles&, Doubles& g) {
          if (correction == "inside")
            for (std::size_t i = 0; i < elements; ++i) g[i] += g_correction[i];
        };
        const auto outside = [&](Doubles& w) {
          if (correction == "outside")
            for (std::size_t i = 0; i < elements; ++i) w[i] -= sgd.learning_rate * g_correction[i];
        };
        const Doubles y = descend(data_, x, sgd, inside, outside);
        expect_near(delta_, minus_model(y), "delta");
        const double k = correction == "inside" ? accumulated(sgd) : static_cast<double>(sgd.steps);
        const auto examples = static_cast<double>(trained.examples);
        Doubles next(elements), change(elements);
        for (std::size_t i = 0; i < elements; ++i) {
          next[i] = own[i] - c[i] + (x[i] - y[i]) / (k * sgd.learning_rate);
          change[i] = 8 * (next[i] - own[i]) / examples;
        }
        expect_near(change_, change, "output");
        ASSERT_EQ(trained.kept.size(), 1U);
        expect_near(trained.kept.at("scaffold.control").values(), next, "kept");
        own = next;
        request_.kept = trained.kept;
      }
    }
}

// Option II: without a correction, the variate is the mean gradient that the client has followed, whatever the momentum.
TEST_F(DriftMethods, TheVariateIsAMeanGradientWithMomentumToo) {
  control_.assign(elements, 0);
  for (const auto& [name, sgd] : drift_cases) {
    PlainSgd small = sgd;
    small.learning_rate = 1e-4;
    small.weight_decay = 0;
    use("scaffold", small);
    const auto kept = train().kept;
    const Doubles gradient = data_.gradient(doubles(model_));
    const std::vector<float>& found = kept.at("scaffold.control").values();
    for (std::size_t i = 0; i < elements; ++i) EXPECT_NEAR(found[i], gradient[i], 2e-3) << name << " " << i;
  }
}

TEST_F(DriftMethods, WhatADeviceKeptInAnotherRunOrLayoutIsNotUsed) {
  for (const char* method : {"scaffold", "feddyn"}) {
    SCOPED_TRACE(method);
    request_.kept.clear();
    use(method, drift_cases[1].sgd, {{"run", std::string("run-1")}});
    const KeptVectors first = train().kept;
    const std::vector<float> delta = delta_;
    ASSERT_EQ(first.size(), 1U);
    request_.kept = first;
    const KeptVectors second = train().kept;
    EXPECT_NE(delta_, delta) << "in the same run it is used";
    EXPECT_FALSE(first == second);
    use(method, drift_cases[1].sgd, {{"run", std::string("run-2")}});
    const KeptVectors other = train().kept;
    EXPECT_EQ(delta_, delta);
    EXPECT_EQ(other.size(), 1U) << "and replaces that of the other run";
    EXPECT_EQ(other.begin()->second.values(), first.begin()->second.values());
    use(method, drift_cases[1].sgd, {{"run", std::string("run-1")}});
    request_.kept.begin()->second = KeptVector(first.begin()->second.of(), std::vector<float>(3, 1.0F));
    train();
    EXPECT_EQ(delta_, delta) << "one of another size is not used either";
    std::vector<float> damaged = first.begin()->second.values();
    damaged.back() = std::numeric_limits<float>::quiet_NaN();
    request_.kept.begin()->second = KeptVector(first.begin()->second.of(), damaged);
    train();
    EXPECT_EQ(delta_, delta) << "nor one with a value that is not finite";
  }
}

TEST_F(DriftMethods, AnUnknownCorrectionIsRefused) {
  use("scaffold", drift_cases[0].sgd, {{"correction", std::string("elsewhere")}});
  std::vector<float> delta(elements), change(elements);
  request_.inputs = {{"model", model_}, {"control", control_}};
  const OutputVector outputs[] = {{"delta", delta}, {"control_change", change}};
  const auto trained = trainer_->train(request_, outputs, {});
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::refused);
  EXPECT_THAT(trained.error().text(), HasSubstr("neither \"inside\" nor \"outside\""));
  EXPECT_THAT(delta, Each(0.0F));
}

TEST_F(DriftMethods, FedNovaScalesTheChangeToTheReferenceSteps) {
  for (const auto& [name, sgd] : drift_cases)
    for (const std::int64_t steps : {1, 4, 40}) {
      SCOPED_TRACE(std::string(name) + ", reference " + std::to_string(steps));
      use("fednova", sgd, {{"reference_steps", steps}});
      const TrainingResult trained = train();
      PlainSgd reference = sgd;
      reference.steps = static_cast<std::size_t>(steps);
      const double ratio = std::min(accumulated(sgd) / accumulated(reference), 4.0);
      Doubles expected = minus_model(descend(data_, doubles(model_), sgd, nothing, nothing));
      for (double& value : expected) value /= ratio;
      expect_near(delta_, expected, "delta");
      const auto mean = mean_of(trained.metrics, "normalisation");
      ASSERT_TRUE(mean);
      EXPECT_NEAR(*mean, ratio - 1, 1e-9);
      EXPECT_LE(*mean, 3) << "the aggregator believes no more";
      const Metric& metric = *std::ranges::find(trained.metrics, std::string("normalisation"), &Metric::name);
      EXPECT_EQ(metric.count, static_cast<double>(trained.examples));
    }
}

TEST_F(DriftMethods, FedNovaWithTheReferenceStepsIsSgdBitForBit) {
  for (const auto& [name, sgd] : drift_cases) {
    use("sgd", sgd);
    train();
    const std::vector<float> by_sgd = delta_;
    use("fednova", sgd, {{"reference_steps", static_cast<std::int64_t>(sgd.steps)}});
    const TrainingResult trained = train();
    EXPECT_EQ(delta_, by_sgd) << name;
    EXPECT_EQ(mean_of(trained.metrics, "normalisation"), 0.0) << name;
  }
}

TEST_F(DriftMethods, FedDynAddsTheGradientOfItsRegulariserAndKeepsItsState) {
  for (const auto& [name, sgd] : drift_cases) {
    SCOPED_TRACE(name);
    request_.kept.clear();
    const Doubles x = doubles(model_);
    Doubles state(elements);  // g_i of the paper
    for (int task = 0; task < 3; ++task) {
      constexpr double alpha = 0.5;
      use("feddyn", sgd, {{"alpha", alpha}});
      const TrainingResult trained = train();
      const auto regulariser = [&](const Doubles& w, Doubles& g) {
        for (std::size_t i = 0; i < elements; ++i) g[i] += -state[i] + alpha * (w[i] - x[i]);
      };
      const Doubles y = descend(data_, x, sgd, regulariser, nothing);
      expect_near(delta_, minus_model(y), "delta");
      for (std::size_t i = 0; i < elements; ++i) state[i] -= alpha * (y[i] - x[i]);
      ASSERT_EQ(trained.kept.size(), 1U);
      const std::vector<float>& drift = trained.kept.at("feddyn.drift").values();
      for (std::size_t i = 0; i < elements; ++i) EXPECT_NEAR(-alpha * drift[i], state[i], 2e-5) << i;
      request_.kept = trained.kept;
    }
  }
}

// A convolution's weights are in another order in memory than in the layout. One step of plain SGD moves each value by the
// correction and nothing else.
class DriftMethodsOfImages : public ::testing::Test {
 protected:
  // Returns the change of each value of the layout.
  std::vector<float> train(const char* name, std::vector<Option> own, const std::vector<float>& control = {},
                           std::vector<std::string> personal = {}) {
    LocalTrainerConfig config;
    config.data = data_;
    const auto facts = describe_archive(archive_, personal);
    EXPECT_TRUE(facts) << facts.error().text();
    TrainingRequest request;
    request.archive = archive_;
    request.layout = facts->layout.digest();
    layout_ = facts->layout;
    request.method = sgd_method({.batch_size = 64, .learning_rate = 0.5, .personal = std::move(personal)});
    request.method.name = name;
    for (Option& option : own) request.method.options.push_back(std::move(option));
    const std::vector<float>& model = facts->parameters;
    std::vector<float> delta(model.size());
    request.inputs = {{"model", model}};
    std::vector<OutputVector> outputs{{"delta", delta}};
    if (!control.empty()) {
      change_.assign(model.size(), 42.0F);
      request.inputs.push_back({"control", control});
      outputs.push_back({"control_change", change_});
    }
    const auto trained = make_local_trainer(config)->train(request, outputs, {});
    EXPECT_TRUE(trained) << trained.error().text();
    kept_ = trained ? trained->kept : KeptVectors{};
    return delta;
  }

  TemporaryFolder folder_;
  DataConfig data_ = testing::write_data(folder_, {40, 28, 28, 10}, 1);
  std::filesystem::path archive_ = folder_ / "model.pt";
  // Of the last training.
  ParameterLayout layout_;
  std::vector<float> change_;
  KeptVectors kept_;
};

TEST_F(DriftMethodsOfImages, CorrectionsReachTheWeightThatTheyAreFor) {
  ASSERT_TRUE(create_built_in("cnn-small", 3, archive_));
  const std::vector<float> by_sgd = train("sgd", {});
  std::vector<float> control(by_sgd.size());
  Random random(9);
  for (float& value : control) value = static_cast<float>(random.normal());
  // 40 examples are one batch: the step of the only epoch.
  const std::vector<float> corrected = train("scaffold", {}, control);
  const std::vector<float> outside = train("scaffold", {{"correction", std::string("outside")}}, control);
  for (std::size_t i = 0; i < control.size(); ++i) {
    ASSERT_NEAR(corrected[i], by_sgd[i] - 0.5F * control[i], 1e-5) << i;
    ASSERT_NEAR(outside[i], by_sgd[i] - 0.5F * control[i], 1e-5) << i;
  }
}

TEST_F(DriftMethodsOfImages, PersonalParametersHaveNoCorrection) {
  ASSERT_TRUE(create_built_in("mlp", 3, archive_));
  const std::vector<std::string> head{"fc2.*"};
  const std::vector<float> by_sgd = train("sgd", {}, {}, head);
  const KeptVectors personal = kept_;
  for (const char* method : {"fedprox", "feddyn", "fednova"}) {
    const std::vector<float> delta = train(method, {}, {}, head);
    ASSERT_EQ(delta.size(), by_sgd.size()) << method;
    for (std::size_t i = 0; i < delta.size(); i += 53) ASSERT_NEAR(delta[i], by_sgd[i], 1e-6) << method;
    // In the first step no weight is away from its anchor.
    for (const auto& [name, vector] : personal) EXPECT_EQ(kept_.at(name), vector) << method;
  }
}

TEST_F(DriftMethodsOfImages, BuffersHaveNoVariateAndAreNotScaled) {
  testing::write_archive(testing::TestModel::batch_norm, archive_, {28, 28});
  data_ = testing::write_data(folder_, {40, 28, 28, 3}, 2);  // the model has three outputs
  const std::vector<float> by_sgd = train("sgd", {});
  const std::vector<float> scaled = train("fednova", {{"reference_steps", std::int64_t{2}}});
  const std::vector<float> corrected = train("scaffold", {}, std::vector<float>(by_sgd.size(), 0.25F));
  const std::vector<float> control = kept_.at("scaffold.control").values();
  train("feddyn", {});
  const std::vector<float> drift = kept_.at("feddyn.drift").values();
  std::size_t buffers = 0;
  for (const ParameterEntry& entry : layout_.entries())
    for (std::size_t i = entry.offset; i < entry.offset + entry.count; ++i) {
      const bool is_buffer = entry.kind == ParameterKind::buffer;
      ASSERT_NEAR(scaled[i], by_sgd[i] * (is_buffer ? 1 : 2), 1e-5) << entry.name;
      ASSERT_NEAR(corrected[i], by_sgd[i] - (is_buffer ? 0 : 0.125F), 1e-5) << entry.name;
      if (!is_buffer) continue;
      ++buffers;
      ASSERT_EQ(scaled[i], by_sgd[i]) << entry.name;
      ASSERT_EQ(change_[i], 0) << entry.name;
      ASSERT_EQ(control[i], 0) << entry.name;
      ASSERT_EQ(drift[i], 0) << entry.name;
    }
  EXPECT_GT(buffers, 0U);
}

}  // namespace
}  // namespace hansa::learning
