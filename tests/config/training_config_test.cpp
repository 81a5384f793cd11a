// [training], [training.schedule] and [strategy] method of federation.toml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "common/methods.h"
#include "server/config/federation_config.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using ::testing::HasSubstr;

class TrainingFile : public ::testing::Test {
 protected:
  Result<FederationConfig> read(const std::string& text) {
    const auto file = folder_.path() / "federation.toml";
    EXPECT_TRUE(write_file_atomically(file,
                                      "[aggregator]\nkey = \"a.key\"\nadmitted = \"admitted\"\n"
                                      "[model]\narchive = \"m.pt\"\n[federation]\nname = \"f\"\n" +
                                          text));
    return read_federation_config(file);
  }
  TrainingConfig training(const std::string& text) {
    const auto config = read(text);
    EXPECT_TRUE(config) << config.error().text();
    return training_config(*find_method(built_in_methods(), config->method.name), config->method);
  }
  std::string refusal(const std::string& text) {
    const auto config = read(text);
    EXPECT_FALSE(config) << text;
    return config ? "" : config.error().text();
  }
  TemporaryFolder folder_;
};

TEST_F(TrainingFile, EachOptionReachesTheMethod) {
  EXPECT_EQ(training(""), TrainingConfig());
  const TrainingConfig all = training(
      "[training]\nepochs = 2\nbatch_size = 8\nlearning_rate = 0.5\nmomentum = 0.75\nnesterov = true\n"
      "weight_decay = 0.125\nsteps_max = 9\nclip_norm = 2.0\nclip_value = 0.5\naccumulate = 4\n"
      "precision = \"bfloat16\"\n");
  EXPECT_EQ(all, (TrainingConfig{.epochs = 2,
                                 .batch_size = 8,
                                 .learning_rate = 0.5,
                                 .momentum = 0.75,
                                 .weight_decay = 0.125,
                                 .steps_max = 9,
                                 .nesterov = true,
                                 .clip_norm = 2,
                                 .clip_value = 0.5,
                                 .accumulate = 4,
                                 .bfloat16 = true}));
  const TrainingConfig adamw = training(
      "[training]\nweight_decay = 0.125\n[strategy]\nmethod = \"adamw\"\n[strategy.adamw]\nbeta1 = 0.5\n"
      "beta2 = 0.75\nepsilon = 0.25\n");
  EXPECT_EQ(adamw, (TrainingConfig{.weight_decay = 0.125,
                                   .optimizer = LocalOptimizer::adamw,
                                   .beta1 = 0.5,
                                   .beta2 = 0.75,
                                   .epsilon = 0.25}));
}

// Clients of Hansa 0.1 decline options that they do not know.
TEST_F(TrainingFile, WithoutNewOptionsATaskIsThatOfOlderVersions) {
  const auto config = read("[training]\nmomentum = 0.9\n");
  std::vector<std::string> names;
  for (const Option& option : config->method.options) names.push_back(option.name);
  EXPECT_THAT(names, ::testing::ElementsAre("epochs", "batch_size", "learning_rate", "momentum",
                                            "weight_decay", "steps_max", "personal"));
}

TEST_F(TrainingFile, MomentumIsForSgdAndNesterovNeedsIt) {
  EXPECT_THAT(refusal("[training]\nmomentum = 0.9\n[strategy]\nmethod = \"adam\"\n"),
              HasSubstr("training.momentum: is for SGD, and strategy.method is \"adam\""));
  EXPECT_THAT(refusal("[training]\nnesterov = true\n"),
              HasSubstr("training.nesterov: needs a momentum, and training.momentum is 0"));
}

TEST_F(TrainingFile, AScheduleIsReadAndACosineNeedsALastRound) {
  const std::string cosine = "[training.schedule]\nkind = \"cosine\"\n";
  const auto config = read("rounds = 40\n" + cosine + "warm_up = 5\nlowest = 0.25\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->rate_schedule,
            (RateSchedule{.name = "cosine", .warm_up = 5, .lowest = 0.25, .rounds = 40}));
  EXPECT_THAT(refusal("rounds = 0\n" + cosine), HasSubstr("needs a last round, and federation.rounds is 0"));
  EXPECT_EQ(read("rounds = 0\n" + cosine + "rounds = 30\n")->rate_schedule.rounds, 30U);
  EXPECT_THAT(refusal("rounds = 5\n" + cosine + "warm_up = 5\n"),
              HasSubstr("leaves no round for the cosine"));
  EXPECT_THAT(refusal("[training.schedule]\nkind = \"linear\"\n"), HasSubstr("\"inverse_sqrt\""));
}

}  // namespace
}  // namespace hansa::server
