// A trainer and the federation's statistics: what it sums up, and how it scales what it trains on.
#include <gmock/gmock.h>

#include "common/column_statistics.h"
#include "learning/data/column_sums.h"
#include "learning/data_supply.h"
#include "learning/evaluation.h"
#include "learning/hold_out.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "learning/model_check.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t columns = 2;

class StatisticsTraining : public ::testing::Test {
 protected:
  StatisticsTraining() {
    std::string rows = "a,b,y\n", scaled = rows;
    for (int i = 0; i < 40; ++i) {
      const int a = (i * 7) % 13 - 4, b = 1000 + 8 * ((i * 5) % 11);
      const std::string label = "," + std::to_string(i % 3) + "\n";
      rows += std::to_string(a) + "," + std::to_string(b) + label;
      // (x - mean) / deviation with powers of two is exact.
      scaled += std::to_string((a - 1) / 4.0) + "," + std::to_string((b - 1024) / 16.0) + label;
    }
    config_.kind = "csv";
    config_.file = folder_ / "rows.csv";
    config_.label = "y";
    config_.scale = Scaling::federation;
    testing::write_text(config_.file, rows);
    testing::write_text(folder_ / "scaled.csv", scaled);
    EXPECT_TRUE(create_built_in("logistic", 3, archive_, {columns, 3}));
    model_ = describe_archive(archive_)->parameters;
  }
  DataConfig scaled_before() const {
    DataConfig out = config_;
    out.file = folder_ / "scaled.csv";
    out.scale = Scaling::none;
    return out;
  }
  TrainingRequest request() const {
    TrainingRequest out;
    out.archive = archive_;
    out.layout = describe_archive(archive_)->layout.digest();
    out.method = sgd_method({.epochs = 2, .batch_size = 7});
    out.seed = 7;
    out.inputs = {{"model", model_}};
    return out;
  }
  Result<TrainingResult> train(const DataConfig& data, const TrainingRequest& request) {
    delta_.assign(model_.size(), 0);
    LocalTrainerConfig config;
    config.data = data;
    const OutputVector outputs[] = {{"delta", delta_}};
    return make_local_trainer(config)->train(request, outputs, {});
  }
  Result<TrainingResult> sum_up(const DataConfig& data, std::size_t of_columns = columns,
                                std::optional<HoldOut> hold_out = {}) {
    digits_.assign(of_columns * statistics_digits, 0);
    LocalTrainerConfig config;
    config.data = data;
    TrainingRequest request = this->request();
    request.method = {std::string(statistics_method), {}};
    request.inputs = {{"model", digits_}};
    request.hold_out = hold_out;
    request.hold_out_key = 99;
    const OutputVector outputs[] = {{"delta", digits_}};
    return make_local_trainer(config)->train(request, outputs, {});
  }

  const testing::TemporaryFolder folder_;
  const std::filesystem::path archive_ = folder_ / "model.pt";
  DataConfig config_;
  std::vector<float> model_, delta_, digits_;
  const std::vector<float> statistics_ = vector_of({{1, 1024}, {4, 16}});
};

using AdversaryStatisticsTask = StatisticsTraining;

TEST_F(StatisticsTraining, TrainsAsOnDataThatWasScaledBefore) {
  ASSERT_TRUE(train(scaled_before(), request()));
  const std::vector<float> wanted = delta_;
  TrainingRequest with = request();
  with.inputs.push_back({std::string(statistics_input), statistics_});
  const auto trained = train(config_, with);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(delta_, wanted);
  EXPECT_TRUE(trained->note.empty()) << trained->note;
}

TEST_F(StatisticsTraining, HeldOutExamplesAreScaledAndChosenByTheirRawValues) {
  TrainingRequest with = request();
  with.hold_out = HoldOut{0.3, Measure::yes};
  with.hold_out_key = 99;
  with.inputs.push_back({std::string(statistics_input), statistics_});
  const auto trained = train(config_, with);
  ASSERT_TRUE(trained) << trained.error().text();
  const auto raw = open_examples(config_);
  const auto split = split_examples(**raw, 0.3, 99);
  ASSERT_TRUE(split);
  EXPECT_EQ(trained->examples, split->training.size());
  // The loss of the untrained model on the same examples, scaled before.
  std::shared_ptr<const DataSource> before = open_examples(scaled_before()).value();
  const auto evaluator =
      make_evaluator(archive_, std::make_unique<ExampleSubset>(*before, split->held_out), 1, {});
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  const auto measured = (*evaluator)->evaluate({});
  const auto loss = std::ranges::find(*measured, "loss", &Metric::name);
  const auto held_out = std::ranges::find(trained->metrics, "held_out_loss", &Metric::name);
  ASSERT_NE(held_out, trained->metrics.end());
  EXPECT_NEAR(held_out->sum, loss->sum, 1e-5);
}

TEST_F(StatisticsTraining, AFederationWithoutStatisticsIsAClearError) {
  const auto refused = train(config_, request());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_THAT(refused.error().text(), HasSubstr("the federation has none"));
  EXPECT_THAT(refused.error().hint, HasSubstr("[statistics] in federation.toml"));
}

TEST_F(StatisticsTraining, StatisticsOfOtherColumnsAreAClearError) {
  TrainingRequest with = request();
  const std::vector<float> three = vector_of({{1, 2, 3}, {1, 1, 1}});
  with.inputs.push_back({std::string(statistics_input), three});
  const auto refused = train(config_, with);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("has 2 columns, and the federation's statistics are of 3"));
}

TEST_F(StatisticsTraining, AClientThatDoesNotScaleTrainsWithAWarning) {
  DataConfig none = config_;
  none.scale = Scaling::none;
  ASSERT_TRUE(train(none, request()));
  const std::vector<float> wanted = delta_;
  TrainingRequest with = request();
  with.inputs.push_back({std::string(statistics_input), statistics_});
  const auto trained = train(none, with);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(delta_, wanted);
  EXPECT_THAT(trained->note, HasSubstr("does not scale by them"));
}

TEST_F(StatisticsTraining, SumsAreOfTheExamplesThatAreTrainedOn) {
  const auto raw = open_examples(config_);
  const auto expect_sums_of = [&](const DataSource& source) {
    std::vector<float> wanted(columns * statistics_digits);
    sum_columns(source)->write(wanted);
    EXPECT_EQ(digits_, wanted);
  };
  const auto all = sum_up(config_);
  ASSERT_TRUE(all) << all.error().text();
  EXPECT_EQ(all->examples, 1U);
  EXPECT_EQ(all->data_mark, 0U);
  EXPECT_TRUE(all->metrics.empty());
  EXPECT_TRUE(all->kept.empty());
  expect_sums_of(**raw);
  ASSERT_TRUE(sum_up(config_, columns, HoldOut{0.3, Measure::no}));
  expect_sums_of(ExampleSubset(**raw, split_examples(**raw, 0.3, 99)->training));
}

TEST_F(StatisticsTraining, OnlyAClientThatScalesByThemTakesPart) {
  DataConfig other = config_;
  for (const Scaling scale : {Scaling::none, Scaling::standard}) {
    other.scale = scale;
    const auto refused = sum_up(other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::usage);
    EXPECT_THAT(refused.error().hint, HasSubstr("scale = \"federation\""));
  }
}

// The aggregator could otherwise have the same data summed again and again, as sums of other models.
TEST_F(AdversaryStatisticsTask, AModelThatIsNotZeroIsRefused) {
  for (const float value : {1.0F, -0.0F, 1e-40F}) {
    digits_.assign(columns * statistics_digits, 0);
    std::vector<float> model = digits_;
    model.back() = value;
    LocalTrainerConfig config;
    config.data = config_;
    TrainingRequest task = request();
    task.method = {std::string(statistics_method), {}};
    task.inputs = {{"model", model}};
    const OutputVector outputs[] = {{"delta", digits_}};
    const auto refused = make_local_trainer(config)->train(task, outputs, {});
    ASSERT_FALSE(refused) << value;
    EXPECT_EQ(refused.error().code, ErrorCode::refused);
  }
}

TEST_F(StatisticsTraining, AClientWithOtherColumnsSaysHowManyItHas) {
  const auto refused = sum_up(config_, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::data);
  EXPECT_THAT(refused.error().hint, HasSubstr("statistics.columns = 2"));
}

TEST_F(StatisticsTraining, AModelCheckUsesTheClientsOwnStatistics) {
  LocalTrainerConfig config;
  config.data = config_;
  const auto checked = check_model(archive_, config, 8);
  ASSERT_TRUE(checked) << checked.error().text();
  // Unscaled inputs of about 1000 give a loss in the hundreds.
  EXPECT_LT(checked->evaluated.front().sum / checked->evaluated.front().count, 10);
}

}  // namespace
}  // namespace hansa::learning
