// Methods that give a device a model of its own, and MOON: compared with a second computation in double precision.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "common/held_out_metrics.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "learning/model_saver.h"
#include "tests/data/data_files.h"
#include "tests/learning/two_layer_reference.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::TwoLayerReference;
using testing::TwoLayers;
using testing::Values;

std::vector<float> floats(const Values& values) { return {values.begin(), values.end()}; }
Values doubles(std::span<const float> values) { return {values.begin(), values.end()}; }
auto is_near(const Values& expected) { return Pointwise(FloatNear(2e-5F), floats(expected)); }

class PersonalMethods : public ::testing::Test {
 protected:
  static constexpr std::uint32_t examples = 12;
  static constexpr double rate = 0.5;

  explicit PersonalMethods(TwoLayers shape = {}) {
    config_.data = testing::write_data(folder_, {examples, 2, 2, 3}, 1);
    use(shape);
  }
  void use(const TwoLayers& shape) {
    testing::write_two_layers(archive_, shape);
    trainer_ = make_local_trainer(config_);
    const auto facts = describe_archive(archive_);
    ASSERT_TRUE(facts) << facts.error().text();
    whole_ = facts->parameters;
    layout_ = facts->layout;
  }
  static Method method(const std::string& name, std::vector<Option> own, std::uint32_t epochs = 2) {
    Method out = sgd_method({.epochs = epochs, .batch_size = examples, .learning_rate = rate});
    out.name = name;
    for (Option& option : own) {
      const auto known = std::ranges::find(out.options, option.name, &Option::name);
      if (known != out.options.end()) known->value = option.value;
      else out.options.push_back(std::move(option));
    }
    return out;
  }
  // The delta. What is kept replaces kept_.
  Result<TrainingResult> try_train(const Method& method, std::span<const float> model) {
    TrainingRequest request;
    request.archive = archive_;
    const auto* description = find_method(built_in_methods(), method.name);
    request.layout =
        describe_archive(archive_, training_config(*description, method).personal)->layout.digest();
    request.method = method;
    request.seed = 7;
    request.kept = kept_;
    request.hold_out = hold_out_;
    request.hold_out_key = 3;
    delta_.assign(model.size(), 0);
    auto trained = train_on(*trainer_, request, model, delta_);
    if (trained) kept_ = trained->kept;
    return trained;
  }
  std::vector<float> train(const Method& method, std::span<const float> model) {
    const auto trained = try_train(method, model);
    EXPECT_TRUE(trained) << trained.error().text();
    return delta_;
  }
  [[nodiscard]] TwoLayerReference reference(const TwoLayers& shape = {}) const {
    return {config_.data, shape};
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  LocalTrainerConfig config_;
  std::unique_ptr<Trainer> trainer_;
  std::vector<float> whole_, delta_;
  ParameterLayout layout_;
  KeptVectors kept_;
  std::optional<HoldOut> hold_out_;
};

const std::vector<Option> head_is_personal{{"personal", std::vector<std::string>{"head.*"}}};

class FedRep : public PersonalMethods {
 protected:
  // Compares two tasks, the second of which begins with the head of the first, with the reference.
  void compare(double clip_norm) {
    const TwoLayerReference net = reference();
    const auto descend = [&](Values& values, bool body) {
      Values gradient = TwoLayerReference::gradient([&](const Values& at) { return net.loss(at); }, values);
      double squares = 0;
      for (std::size_t i = 0; i < values.size(); ++i)
        if ((i < net.body_size()) == body) squares += gradient[i] * gradient[i];
      const double norm = std::sqrt(squares);
      const double scale = clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1;
      for (std::size_t i = 0; i < values.size(); ++i)
        if ((i < net.body_size()) == body) values[i] -= rate * scale * gradient[i];
    };
    std::vector<Option> options = head_is_personal;
    options.push_back({"head_epochs", std::int64_t{3}});
    options.push_back({"clip_norm", clip_norm});
    Values values = doubles(whole_);
    std::vector<float> body(whole_.begin(), whole_.begin() + static_cast<std::ptrdiff_t>(net.body_size()));
    for (int task = 0; task < 2; ++task) {
      const std::vector<float> delta = train(method("fedrep", options), body);
      for (int epoch = 0; epoch < 3; ++epoch) descend(values, false);
      for (int epoch = 0; epoch < 2; ++epoch) descend(values, true);
      for (std::size_t i = 0; i < body.size(); ++i) body[i] += delta[i];
      const auto split = values.begin() + static_cast<std::ptrdiff_t>(net.body_size());
      EXPECT_THAT(body, is_near({values.begin(), split}));
      ASSERT_EQ(kept_.size(), 1U);
      EXPECT_THAT(kept_.begin()->second.values(), is_near({split, values.end()}));
    }
  }
};

TEST_F(FedRep, TrainsTheHeadWithTheBodyFixedAndThenTheBody) { compare(0); }

TEST_F(FedRep, OnlyWhatIsTrainedCountsForTheNormOfTheGradient) { compare(0.05); }

TEST_F(FedRep, PersonalBuffersAloneAreNoHead) {
  testing::write_normalising(archive_);
  trainer_ = make_local_trainer(config_);
  const std::vector<Option> statistics{{"personal", std::vector<std::string>{"*.running_*"}}};
  const auto shared = describe_archive(archive_, std::vector<std::string>{"*.running_*"})->parameters;
  const auto trained = try_train(method("fedrep", statistics), shared);
  ASSERT_FALSE(trained);
  EXPECT_THAT(trained.error().text(), HasSubstr("no trainable parameter among those that are personal"));
}

class Ditto : public PersonalMethods {
 protected:
  // v after a task that receives w.
  static void descend(const TwoLayerReference& net, Values& v, const Values& w, double lambda, int steps) {
    for (int step = 0; step < steps; ++step) {
      const Values gradient = TwoLayerReference::gradient([&](const Values& at) { return net.loss(at); }, v);
      for (std::size_t i = 0; i < v.size(); ++i) v[i] -= rate * (gradient[i] + lambda * (v[i] - w[i]));
    }
  }
  [[nodiscard]] std::vector<float> other_model() const {
    std::vector<float> out = whole_;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += 0.1F * static_cast<float>(i % 5) - 0.2F;
    return out;
  }
  [[nodiscard]] const std::vector<float>& own() const {
    return kept_.at(std::string(personal_model_vector)).values();
  }
};

TEST_F(Ditto, TheOwnModelIsPulledToTheGlobalOneThatTheTaskBeginsWith) {
  const TwoLayerReference net = reference();
  const std::vector<Option> options{{"lambda", 0.7}, {"personal_epochs", std::int64_t{3}}};
  Values v = doubles(whole_);
  for (const std::vector<float>& received : {whole_, other_model(), whole_}) {
    train(method("ditto", options), received);
    descend(net, v, doubles(received), 0.7, 3);
    EXPECT_THAT(own(), is_near(v));
  }
}

TEST_F(Ditto, TheUpdateIsThatOfPlainSgd) {
  const std::vector<float> plain = train(method("sgd", {}), other_model());
  EXPECT_EQ(train(method("ditto", {}), other_model()), plain);
  EXPECT_EQ(train(method("ditto", {}), other_model()), plain) << "whatever the device has kept";
}

TEST_F(Ditto, WithoutPullTheDeviceTrainsAloneForTheEpochsOfTheTask) {
  const TwoLayerReference net = reference();
  Values v = doubles(whole_);
  for (const std::vector<float>& received : {whole_, other_model()}) {
    train(method("ditto", {{"lambda", 0.0}}), received);
    descend(net, v, v, 0, 2);
    EXPECT_THAT(own(), is_near(v));
  }
}

TEST_F(Ditto, WhatWasKeptOfAnotherLayoutOrIsDamagedIsNotUsed) {
  train(method("ditto", {}), other_model());
  const std::vector<float> from_received = own();
  const std::string name(personal_model_vector);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> damaged = whole_;
  damaged[5] = nan;
  for (const KeptVector& wrong : {KeptVector(Digest{}, whole_), KeptVector(layout_.digest(), {1.0F, 2.0F}),
                                  KeptVector(layout_.digest(), std::vector<float>(whole_.size() + 1, 1.0F)),
                                  KeptVector(layout_.digest(), damaged)}) {
    kept_ = {{name, wrong}};
    train(method("ditto", {}), other_model());
    EXPECT_EQ(own(), from_received);
  }
}

TEST_F(Ditto, TheOwnModelIsWhatAPersonalMetricMeasures) {
  const auto metric = [](const Result<TrainingResult>& trained, std::string_view name) {
    const auto found = std::ranges::find(trained->metrics, name, &Metric::name);
    return found == trained->metrics.end() ? std::pair(-1.0, -1.0) : std::pair(found->sum, found->count);
  };
  hold_out_ = HoldOut{0.3, Measure::yes};
  const auto first = try_train(method("ditto", {}), whole_);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_GT(metric(first, held_out_loss).second, 0);
  EXPECT_EQ(metric(first, held_out_personal_loss), metric(first, held_out_loss))
      << "it begins as the global one";
  const std::vector<float> kept = own();
  const auto second = try_train(method("ditto", {}), other_model());
  const auto as_global = try_train(method("ditto", {}), kept);
  ASSERT_TRUE(second && as_global);
  for (const auto& [personal, global] : {std::pair(held_out_personal_loss, held_out_loss),
                                         std::pair(held_out_personal_accuracy, held_out_accuracy)})
    EXPECT_EQ(metric(second, personal), metric(as_global, global));
  EXPECT_NE(metric(second, held_out_personal_loss), metric(second, held_out_loss));
}

TEST_F(Ditto, AnOwnModelThatDivergesFailsTheTask) {
  const auto trained = try_train(method("ditto", {{"lambda", 1e30}}), other_model());
  ASSERT_TRUE(trained) << "it begins at the received model, where nothing pulls";
  const auto second = try_train(method("ditto", {{"lambda", 1e30}}), whole_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::data);
}

class Moon : public PersonalMethods {
 protected:
  // The delta of the second task, in which the device knows its model of the first one.
  void compare(const TwoLayers& shape, TwoLayerReference::Of of) {
    use(shape);
    const std::vector<Option> options{{"mu", 2.0}, {"temperature", 0.5}};
    const std::vector<float> plain = train(method("sgd", {}), whole_);
    kept_.clear();
    const std::vector<float> first = train(method("moon", options), whole_);
    EXPECT_EQ(first, plain) << "without a previous model nothing is added";
    std::vector<float> received = whole_;
    for (std::size_t i = 0; i < received.size(); ++i) received[i] += i % 2 == 0 ? 0.3F : -0.2F;
    const std::vector<float> second = train(method("moon", options), received);

    const TwoLayerReference net = reference(shape);
    Values previous = doubles(whole_);
    for (std::size_t i = 0; i < previous.size(); ++i) previous[i] += first[i];
    const auto z_previous = net.representations(previous, of);
    const auto z_global = net.representations(doubles(received), of);
    const auto loss = [&](const Values& at) {
      const auto z = net.representations(at, of);
      double contrast = 0;
      for (std::size_t i = 0; i < z.size(); ++i) {
        const double to_global = std::exp(cosine(z[i], z_global[i]) / 0.5);
        const double to_previous = std::exp(cosine(z[i], z_previous[i]) / 0.5);
        contrast -= std::log(to_global / (to_global + to_previous));
      }
      return net.loss(at) + 2.0 * contrast / static_cast<double>(z.size());
    };
    Values values = doubles(received);
    for (int epoch = 0; epoch < 2; ++epoch) {
      const Values gradient = TwoLayerReference::gradient(loss, values);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] -= rate * gradient[i];
    }
    Values expected = values;
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] -= received[i];
    EXPECT_THAT(second, is_near(expected));
    kept_.clear();
    EXPECT_NE(train(method("sgd", {}), received), second);
  }
  static double cosine(const Values& a, const Values& b) {
    double product = 0, of_a = 0, of_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      product += a[i] * b[i];
      of_a += a[i] * a[i];
      of_b += b[i] * b[i];
    }
    return product / std::sqrt(of_a * of_b);
  }
};

TEST_F(Moon, ContrastsTheRepresentationsThatTheModelNames) {
  compare({.has_representation = true}, TwoLayerReference::Of::hidden);
}

TEST_F(Moon, ContrastsTheScoresOfAModelThatNamesNone) { compare({}, TwoLayerReference::Of::scores); }

TEST_F(Moon, GoesWithALossOfTheModelsOwnIfItNamesARepresentation) {
  compare({.has_representation = true, .has_training_loss = true}, TwoLayerReference::Of::hidden);
  use({.has_training_loss = true});
  const auto refused = try_train(method("moon", {}), whole_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::model);
  EXPECT_THAT(refused.error().text(), HasSubstr("give the model a representation(x)"));
}

TEST_F(Moon, ItsRepresentationsAreInTheEstimateOfMemory) {
  const auto needed = [&](const char* name) {
    config_.memory_bytes_max = 1;
    trainer_ = make_local_trainer(config_);
    const auto refused = try_train(method(name, {}), whole_);
    EXPECT_FALSE(refused);
    return refused ? 0 : *refused.error().reason.number(Quantity::bytes_needed);
  };
  constexpr std::uint64_t hidden = 3, classes = 3;
  EXPECT_EQ(needed("moon") - needed("sgd"), 2 * (whole_.size() + classes * examples) * sizeof(float));
  use({.has_representation = true});
  EXPECT_GT(needed("moon") - needed("sgd"), 2 * (whole_.size() + hidden * examples) * sizeof(float))
      << "a second forward pass in each step";
  EXPECT_EQ(needed("ditto") - needed("sgd"), 4 * whole_.size() * sizeof(float));
}

TEST_F(Moon, AKeptModelOfAnotherSizeIsNotUsed) {
  const std::vector<float> plain = train(method("sgd", {}), whole_);
  kept_ = {{"moon.previous", KeptVector(layout_.digest(), {1.0F})}};
  EXPECT_EQ(train(method("moon", {}), whole_), plain);
  kept_ = {{"moon.previous", KeptVector(Digest{}, std::vector<float>(whole_.size(), 0.5F))}};
  EXPECT_EQ(train(method("moon", {}), whole_), plain);
}

class FedBn : public PersonalMethods {
 protected:
  FedBn() {
    testing::write_normalising(archive_);
    trainer_ = make_local_trainer(config_);
  }
  const std::vector<std::string> normalisation_{"@normalisation"};
};

TEST_F(FedBn, LayersThatNormaliseAreFoundByTheirTypeAndUse) {
  const auto shared = describe_archive(archive_, normalisation_);
  ASSERT_TRUE(shared) << shared.error().text();
  EXPECT_EQ(shared->layout.entries().size(), 1U);
  EXPECT_EQ(shared->layout.entries()[0].name, "bn.weight");
  EXPECT_THAT(
      personal_names(archive_, shared->layout).value(),
      ElementsAre("b1.weight", "b1.bias", "other.b2.weight", "other.b2.bias", "scale", "shift", "norm.weight",
                  "b1.running_mean", "b1.running_var", "other.b2.running_mean", "other.b2.running_var"));
}

TEST_F(FedBn, TheBuiltInModelsNormaliseByGroups) {
  ASSERT_TRUE(create_built_in("mobilenet-small", 3, folder_ / "built-in.pt"));
  const auto shared = describe_archive(folder_ / "built-in.pt", normalisation_);
  ASSERT_TRUE(shared) << shared.error().text();
  for (const ParameterEntry& entry : shared->layout.entries())
    EXPECT_EQ(entry.name.find("norm"), std::string::npos) << entry.name;
  EXPECT_GT(personal_names(folder_ / "built-in.pt", shared->layout)->size(), 10U);
}

TEST_F(FedBn, AModelWithoutSuchLayersIsRefused) {
  use({});
  const auto none = describe_archive(archive_, normalisation_);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), HasSubstr("has no normalisation layer"));
}

TEST_F(FedBn, TheMethodKeepsThemOnTheDevice) {
  const auto shared = describe_archive(archive_, normalisation_)->parameters;
  const std::vector<float> first = train(method("fedbn", {}), shared);
  ASSERT_EQ(kept_.size(), 1U);
  const KeptVectors after_first = kept_;
  EXPECT_EQ(after_first.begin()->second.values().size(), 4 * 11U);
  const std::vector<float> second = train(method("fedbn", {}), shared);
  EXPECT_NE(second, first) << "the layers continue where the first task left them";
  EXPECT_NE(kept_, after_first);
}

}  // namespace
}  // namespace hansa::learning
