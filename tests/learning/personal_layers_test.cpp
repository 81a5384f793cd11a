// Personal parameters: not in the layout, trained, and kept on the device from task to task.
#include <gmock/gmock.h>

#include "common/name_pattern.h"
#include "learning/evaluation.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"

namespace hansa::learning {
namespace {

using ::testing::Each;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::TemporaryFolder;

TEST(NamePattern, AStarMatchesAnyCharacters) {
  EXPECT_TRUE(matches_pattern("head.weight", "head.*"));
  EXPECT_TRUE(matches_pattern("head.0.weight", "head.*"));
  EXPECT_TRUE(matches_pattern("a.bias", "*.bias"));
  EXPECT_TRUE(matches_pattern("a.b.c", "a*c"));
  EXPECT_TRUE(matches_pattern("abab", "*ab"));
  EXPECT_TRUE(matches_pattern("x", "*"));
  EXPECT_TRUE(matches_pattern("", "*"));
  EXPECT_TRUE(matches_pattern("a", "a**"));
  EXPECT_FALSE(matches_pattern("header.weight", "head.*"));
  EXPECT_FALSE(matches_pattern("a.biases", "*.bias"));
  EXPECT_FALSE(matches_pattern("a", ""));
  EXPECT_FALSE(matches_pattern("", "a"));
}

class PersonalLayers : public ::testing::Test {
 protected:
  PersonalLayers() {
    data_ = testing::write_data(folder_, {60, 28, 28, 10}, 1);
    EXPECT_TRUE(create_built_in("mlp", 3, archive_));
  }
  [[nodiscard]] std::unique_ptr<Trainer> trainer() const {
    LocalTrainerConfig config;
    config.data = data_;
    return make_local_trainer(config);
  }
  // Returns local - global of the shared values, and replaces `kept` by what the training returned to be kept.
  [[nodiscard]] std::vector<float> train(Trainer& trainer, const std::vector<std::string>& personal,
                                         const std::vector<float>& global, KeptVectors& kept) const {
    TrainingRequest request;
    request.archive = archive_;
    request.layout = describe_archive(archive_, personal)->layout.digest();
    request.method = sgd_method({.epochs = 2, .batch_size = 10, .personal = personal});
    request.seed = 7;
    request.kept = kept;
    std::vector<float> delta(global.size());
    auto trained = train_on(trainer, request, global, delta);
    EXPECT_TRUE(trained) << trained.error().text();
    if (trained) kept = std::move(trained->kept);
    return delta;
  }
  [[nodiscard]] std::vector<float> train(Trainer& trainer, const std::vector<std::string>& personal,
                                         const std::vector<float>& global) const {
    KeptVectors kept;
    return train(trainer, personal, global, kept);
  }
  static std::vector<float> sum(std::vector<float> a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }

  TemporaryFolder folder_;
  DataConfig data_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  const std::vector<std::string> head_{"fc2.*"};
};

TEST_F(PersonalLayers, AreInNoLayout) {
  const auto whole = describe_archive(archive_);
  const auto shared = describe_archive(archive_, head_);
  ASSERT_TRUE(whole && shared);
  ASSERT_EQ(shared->layout.entries().size(), 2U);
  EXPECT_EQ(shared->layout.entries()[0].name, "fc1.weight");
  EXPECT_EQ(shared->layout.entries()[1].name, "fc1.bias");
  EXPECT_NE(shared->layout.digest(), whole->layout.digest());
  EXPECT_EQ(
      shared->parameters,
      std::vector<float>(whole->parameters.begin(),
                         whole->parameters.begin() + static_cast<std::ptrdiff_t>(shared->parameters.size())));
  EXPECT_EQ(personal_names(archive_, shared->layout).value(),
            (std::vector<std::string>{"fc2.weight", "fc2.bias"}));
  EXPECT_TRUE(personal_names(archive_, whole->layout)->empty());
}

TEST_F(PersonalLayers, PatternsThatMatchNothingOrEverythingAreRefused) {
  const std::vector<std::string> misspelled{"fc3.*"}, everything{"*"};
  const auto none = describe_archive(archive_, misspelled);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::model);
  EXPECT_THAT(none.error().text(), HasSubstr("no parameter that matches \"fc3.*\""));
  EXPECT_THAT(none.error().text(), HasSubstr("fc2.weight"));
  EXPECT_THAT(describe_archive(archive_, everything).error().text(), HasSubstr("has no shared parameter"));
}

TEST_F(PersonalLayers, TheFirstTaskStartsFromTheArchivedValues) {
  const auto whole = describe_archive(archive_)->parameters;
  const auto shared = describe_archive(archive_, head_)->parameters;
  const auto with_head = train(*trainer(), {}, whole);
  const auto without = train(*trainer(), head_, shared);
  EXPECT_EQ(without, std::vector<float>(with_head.begin(),
                                        with_head.begin() + static_cast<std::ptrdiff_t>(shared.size())));
}

TEST_F(PersonalLayers, ContinueFromTaskToTaskInWhatTheTrainingsReturn) {
  const auto whole = describe_archive(archive_)->parameters;
  const auto shared = describe_archive(archive_, head_)->parameters;
  const auto size = static_cast<std::ptrdiff_t>(shared.size());
  // With one client, a shared head and a personal head give the same result.
  const auto everything = trainer();
  const auto first = train(*everything, {}, whole);
  const auto second = train(*everything, {}, sum(whole, first));

  KeptVectors kept;
  const auto first_shared = train(*trainer(), head_, shared, kept);
  const auto second_shared = train(*trainer(), head_, sum(shared, first_shared), kept);
  EXPECT_THAT(second_shared,
              Pointwise(FloatNear(1e-5F), std::vector<float>(second.begin(), second.begin() + size)));
  // Without `kept`, the head starts from the archived values, which gives another update.
  const auto forgotten = train(*trainer(), head_, sum(shared, first_shared));
  EXPECT_NE(forgotten, second_shared);
}

// Otherwise an update that was never counted would have trained the personal parameters.
TEST_F(PersonalLayers, ATrainerKeepsNothingItself) {
  const auto shared = describe_archive(archive_, head_)->parameters;
  const auto one = trainer();
  const auto first = train(*one, head_, shared);
  EXPECT_EQ(train(*one, head_, shared), first);
}

TEST_F(PersonalLayers, AStoppedTaskLeavesThemUnchanged) {
  const auto shared = describe_archive(archive_, head_)->parameters;
  const auto one = trainer();
  std::stop_source stop;
  stop.request_stop();
  TrainingRequest request;
  request.archive = archive_;
  request.layout = describe_archive(archive_, head_)->layout.digest();
  request.method = sgd_method({.personal = head_});
  std::vector<float> delta(shared.size());
  EXPECT_FALSE(train_on(*one, request, shared, delta, stop.get_token()));
  EXPECT_EQ(train(*one, head_, shared), train(*trainer(), head_, shared));
}

TEST_F(PersonalLayers, EachDeviceKeepsItsOwnStatisticsOfABatchNorm) {
  testing::write_archive(testing::TestModel::batch_norm, archive_, {28, 28});
  data_ = testing::write_data(folder_, {60, 28, 28, 3}, 2);
  const std::vector<std::string> statistics{"*.running_*"};
  const auto model = describe_archive(archive_, statistics);
  ASSERT_TRUE(model) << model.error().text();
  for (const auto& entry : model->layout.entries())
    EXPECT_EQ(entry.kind, ParameterKind::trainable) << entry.name;
  // The archived mean is 0 and the variance 1. A task changes them, and they are kept.
  KeptVectors kept;
  (void)train(*trainer(), statistics, model->parameters, kept);
  const KeptVectors first = kept;
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(first.begin()->second.values().size(), 2 * 28 * 28);
  (void)train(*trainer(), statistics, model->parameters, kept);
  EXPECT_NE(kept, first);
}

TEST_F(PersonalLayers, EvaluationAndExportUseTheArchivedOnes) {
  const auto shared = describe_archive(archive_, head_)->parameters;
  const auto evaluator = make_evaluator(archive_, data_, 1, head_);
  ASSERT_TRUE(evaluator);
  const auto whole = make_evaluator(archive_, data_, 1);
  EXPECT_EQ((*evaluator)->evaluate(shared).value(), (*whole)->evaluate({}).value());
  std::vector<float> zero(shared.size(), 0.0F);
  ASSERT_TRUE(save_with_parameters(archive_, zero, folder_ / "out.pt", head_));
  const auto saved = describe_archive(folder_ / "out.pt");
  ASSERT_TRUE(saved);
  const auto archived = describe_archive(archive_)->parameters;
  const auto size = static_cast<std::ptrdiff_t>(shared.size());
  EXPECT_THAT(std::vector<float>(saved->parameters.begin(), saved->parameters.begin() + size), Each(0.0F));
  EXPECT_EQ(std::vector<float>(saved->parameters.begin() + size, saved->parameters.end()),
            std::vector<float>(archived.begin() + size, archived.end()));
}

}  // namespace
}  // namespace hansa::learning
