#include "common/methods.h"

#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "common/method_names.h"
#include "common/personal_model.h"

namespace hansa {
namespace {

const MethodDescription& sgd() { return *find_method(built_in_methods(), "sgd"); }

TEST(Methods, SgdHasEachFieldOfTheConfigurationAndReturnsIt) {
  TrainingConfig config;
  EXPECT_EQ(training_config(sgd(), sgd_method(config)), config);
  config = {.epochs = 7,
            .batch_size = 65'536,
            .learning_rate = 0.125,
            .momentum = 0.5,
            .weight_decay = 0.25,
            .steps_max = 4'000'000'000,
            .personal = {"head.*", "*.bias"},
            .nesterov = true,
            .clip_norm = 1,
            .clip_value = 0.5,
            .accumulate = 4,
            .bfloat16 = true};
  const Method method = sgd_method(config);
  EXPECT_EQ(training_config(sgd(), method), config);
  EXPECT_TRUE(check_method(built_in_methods(), method));
  std::set<std::string> described, sent;
  for (const OptionDescription& option : sgd_options()) described.insert(option.name);
  for (const Option& option : method.options) sent.insert(option.name);
  EXPECT_EQ(described, sent);
}

TEST(Methods, AnOmittedOptionHasTheDefaultOfItsOwnMethod) {
  MethodDescription heavy{"heavy", sgd_options()};
  for (OptionDescription& option : heavy.options)
    if (option.name == "momentum") option.default_value = 0.9;
  EXPECT_EQ(training_config(heavy, {"heavy", {}}), TrainingConfig{.momentum = 0.9});
  EXPECT_EQ(training_config(heavy, {"heavy", {{"momentum", 0.5}}}), TrainingConfig{.momentum = 0.5});
}

TEST(Methods, TheNamesAreThoseOfTheDescriptions) {
  std::vector<std::string_view> described;
  for (const MethodDescription& method : built_in_methods()) {
    described.push_back(method.name);
    EXPECT_TRUE(exchanged_vectors(method)) << "the aggregator can run it";
  }
  EXPECT_EQ(described, std::vector<std::string_view>(method_names.begin(), method_names.end()));
  EXPECT_FALSE(exchanged_vectors({"odd", {}, {"teacher"}, {}}));
}

TEST(Methods, AnOmittedOptionHasItsDefault) {
  EXPECT_EQ(training_config(sgd(), {"sgd", {}}), TrainingConfig());
  const TrainingConfig two = training_config(sgd(), {"sgd", {{"epochs", std::int64_t{2}}}});
  EXPECT_EQ(two, TrainingConfig{.epochs = 2});
  for (const OptionDescription& option : sgd_options()) {
    const Method method{"sgd", {{option.name, option.default_value}}};
    EXPECT_TRUE(check_method(built_in_methods(), method)) << option.name;
    EXPECT_EQ(training_config(sgd(), method), TrainingConfig()) << option.name;
  }
}

TEST(Methods, FedBnAddsTheNormalisationLayersToThePersonalParameters) {
  using Texts = std::vector<std::string>;
  const MethodDescription& fedbn = *find_method(built_in_methods(), "fedbn");
  const auto personal = [&](const Texts& listed) {
    return training_config(fedbn, {"fedbn", {{"personal", listed}}}).personal;
  };
  EXPECT_EQ(training_config(fedbn, {"fedbn", {}}).personal, Texts{"@normalisation"});
  EXPECT_EQ(personal({"head.*"}), (Texts{"head.*", "@normalisation"}));
  EXPECT_EQ(personal({"@normalisation", "head.*"}), (Texts{"@normalisation", "head.*"}));
  EXPECT_EQ(personal_model_of({"fedbn", {}}), PersonalModel::present);
}

TEST(Methods, PersonalModelsAreThoseOfPersonalParametersAndOfDitto) {
  EXPECT_EQ(personal_model_of({"sgd", {}}), PersonalModel::absent);
  EXPECT_EQ(personal_model_of({"moon", {}}), PersonalModel::absent);
  EXPECT_EQ(personal_model_of({"ditto", {}}), PersonalModel::present);
  EXPECT_EQ(personal_model_of({"sgd", {{"personal", std::vector<std::string>{"head.*"}}}}),
            PersonalModel::present);
}

TEST(Methods, AnOptionIsReadAsANumberWhateverItsType) {
  const MethodDescription& ditto = *find_method(built_in_methods(), "ditto");
  const Method method{"ditto", {{"personal_epochs", std::int64_t{3}}, {"lambda", 0.25}}};
  EXPECT_EQ(number_option(ditto, method, "personal_epochs"), 3);
  EXPECT_EQ(number_option(ditto, method, "lambda"), 0.25);
  EXPECT_EQ(number_option(ditto, {"ditto", {}}, "personal_epochs"), 0);
  EXPECT_EQ(number_option(ditto, {"ditto", {}}, "lambda"), 1);
}

TEST(Methods, UnknownMethodsAndOptionsOutOfRangeAreRefusedByName) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    Method method;
    const char* error;
  };
  const Row rows[] = {
      {{"fedavg", {}}, "method \"fedavg\": is not known to this client"},
      {{"fedper", {}}, "method \"fedper\": needs personal parameters"},
      {{"fedrep", {}}, "method \"fedrep\": needs personal parameters"},
      {{"fedrep", {{"head_epochs", std::int64_t{0}}}},
       "\"head_epochs\" of method \"fedrep\": is out of its range"},
      {{"ditto", {{"personal", std::vector<std::string>{"head.*"}}}},
       "method \"ditto\": gives each device a model of its own"},
      {{"ditto", {{"lambda", -0.5}}}, "\"lambda\" of method \"ditto\": is out of its range"},
      {{"moon", {{"temperature", 0.0}}}, "\"temperature\" of method \"moon\": is out of its range"},
      {{"sgd", {{"personal", std::vector<std::string>{"@batch_norm"}}}},
       "\"@batch_norm\", which are no type of layer"},
      {{"sgd", {{"mu", 0.1}}}, "option \"mu\" of method \"sgd\": is not known to this client"},
      {{"sgd", {{"epochs", 2.0}}}, "option \"epochs\" of method \"sgd\": has a value of another type"},
      {{"sgd", {{"personal", std::string("head.*")}}},
       "\"personal\" of method \"sgd\": has a value of another type"},
      {{"sgd", {{"epochs", std::int64_t{0}}}}, "\"epochs\" of method \"sgd\": is out of its range"},
      {{"sgd", {{"epochs", std::int64_t{1'001}}}}, "is out of its range"},
      {{"sgd", {{"batch_size", std::int64_t{65'537}}}}, "is out of its range"},
      {{"sgd", {{"batch_size", std::int64_t{-1}}}}, "is out of its range"},
      {{"sgd", {{"learning_rate", 0.0}}}, "is out of its range"},
      {{"sgd", {{"learning_rate", nan}}}, "is out of its range"},
      {{"sgd", {{"momentum", 1.0}}}, "is out of its range"},
      {{"sgd", {{"momentum", -0.1}}}, "is out of its range"},
      {{"sgd", {{"weight_decay", -0.1}}}, "is out of its range"},
      {{"sgd", {{"steps_max", std::int64_t{-1}}}}, "is out of its range"},
      {{"sgd", {{"epochs", std::int64_t{2}}, {"epochs", std::int64_t{3}}}}, "is there twice"},
  };
  for (const Row& row : rows) {
    const auto checked = check_method(built_in_methods(), row.method);
    ASSERT_FALSE(checked) << row.error;
    EXPECT_EQ(checked.error().code, ErrorCode::refused);
    EXPECT_NE(checked.error().text().find(row.error), std::string::npos) << checked.error().text();
  }
}

TEST(Methods, NamesOfATableAreDistinct) {
  std::set<std::string> methods;
  for (const MethodDescription& method : built_in_methods()) {
    EXPECT_TRUE(methods.insert(method.name).second) << method.name;
    std::set<std::string> options;
    for (const OptionDescription& option : method.options)
      EXPECT_TRUE(options.insert(option.name).second) << method.name << " " << option.name;
  }
}

}  // namespace
}  // namespace hansa
