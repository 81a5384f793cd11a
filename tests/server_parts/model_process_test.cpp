// The real child process (hansa-evaluator is in this test's folder) with a built-in model and a few generated images.
#include "server/evaluation/model_process.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.h"
#include "common/process/child.h"
#include "learning/model_archive.h"
#include "learning/wire/wire.h"
#include "tests/learning/hostile_archives.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr std::uint32_t examples = 20;

void write_idx(const std::filesystem::path& path, std::vector<std::uint32_t> shape, std::size_t bytes,
               int classes) {
  std::ofstream file(path, std::ios::binary);
  const char head[4] = {0, 0, 8, static_cast<char>(shape.size())};
  file.write(head, 4);
  for (const std::uint32_t size : shape)
    for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(size >> shift));
  for (std::size_t i = 0; i < bytes; ++i)
    file.put(static_cast<char>(i * 31 % static_cast<std::size_t>(classes)));
}

class ModelProcess : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const auto made = learning::create_built_in("cnn-small", 7, archive());
    ASSERT_TRUE(made) << made.error().text();
    write_idx(data().images, {examples, 28, 28}, examples * 28 * 28, 251);
    write_idx(data().labels, {examples}, examples, 10);
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::filesystem::path archive() { return folder_->path() / "model.pt"; }
  static learning::DataConfig data() {
    learning::DataConfig config;
    config.images = folder_->path() / "images";
    config.labels = folder_->path() / "labels";
    return config;
  }
  static std::filesystem::path write_parameters(std::span<const float> values, const char* name) {
    const auto path = folder_->path() / name;
    EXPECT_TRUE(write_file_atomically(path, std::as_bytes(values)));
    return path;
  }
  // Waits on the descriptor, as the aggregator's loop does.
  static Result<Metrics> wait_for(BackgroundEvaluator& evaluator) {
    while (true) {
      if (auto answer = evaluator.take()) return std::move(*answer);
      pollfd waiting{evaluator.descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, -1);
    }
  }
  static pid_t only_child() {
    std::ifstream file("/proc/self/task/" + std::to_string(::gettid()) + "/children");
    pid_t child = 0;
    file >> child;
    return child;
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(ModelProcess, DescribesAnArchiveAsLearningDoes) {
  const auto facts = describe_archive_in_child(archive());
  ASSERT_TRUE(facts) << facts.error().text();
  const auto expected = learning::describe_archive(archive());
  ASSERT_TRUE(expected);
  EXPECT_EQ(facts->archive, expected->archive);
  EXPECT_EQ(facts->layout.digest(), expected->layout.digest());
  EXPECT_TRUE(std::ranges::equal(facts->parameters, expected->parameters));
  EXPECT_EQ(facts->has_training_loss, expected->has_training_loss);
  EXPECT_EQ(facts->has_metrics, expected->has_metrics);
  EXPECT_EQ(facts->metric_names, expected->metric_names);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child remains
}

TEST_F(ModelProcess, AnUnusableArchiveIsAnErrorOfCodeModel) {
  const auto missing = describe_archive_in_child(folder_->path() / "none.pt");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().text().find("none.pt"), std::string::npos);
  EXPECT_EQ(missing.error().code, learning::describe_archive(folder_->path() / "none.pt").error().code);
  std::ofstream(folder_->path() / "broken.pt") << "no archive";
  const auto broken = describe_archive_in_child(folder_->path() / "broken.pt");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::model) << broken.error().text();
}

TEST_F(ModelProcess, EvaluatesInTheBackground) {
  auto evaluator = BackgroundEvaluator::start(archive(), data(), 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  EXPECT_FALSE((*evaluator)->busy());
  EXPECT_FALSE((*evaluator)->take().has_value());
  const auto facts = learning::describe_archive(archive());
  ASSERT_TRUE(facts);
  const auto path = write_parameters(facts->parameters, "a.f32");
  (*evaluator)->request(path);
  EXPECT_TRUE((*evaluator)->busy());
  const auto first = wait_for(**evaluator);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_FALSE((*evaluator)->busy());
  ASSERT_EQ(first->size(), 2U);
  for (const Metric& metric : *first) EXPECT_EQ(metric.count, examples) << metric.name;
  (*evaluator)->request(path);
  EXPECT_EQ(*wait_for(**evaluator), *first);
  (*evaluator)->request(write_parameters(std::vector<float>(facts->parameters.size(), 0.0F), "zero.f32"));
  const auto zero = wait_for(**evaluator);
  ASSERT_TRUE(zero);
  for (const Metric& metric : *zero)
    EXPECT_TRUE(metric.name != "loss" || std::fabs(metric.sum / metric.count - std::log(10.0)) < 1e-5)
        << metric.sum;
}

TEST_F(ModelProcess, AModelWhoseMetricsTakeOtherArgumentsGivesOneWarning) {
  const auto model = folder_->path() / "unfit.pt";
  learning::testing::write_archive_with(
      "def metrics(self, x, y, mask) -> Dict[str, Tuple[float, float]]:\n    return {\"m\": (1.0, 1.0)}\n",
      model);
  learning::DataConfig small = data();
  small.images = folder_->path() / "small-images";
  write_idx(small.images, {examples, 4, 4}, examples * 16, 251);
  small.labels = folder_->path() / "small-labels";
  write_idx(small.labels, {examples}, examples, 3);
  auto evaluator = BackgroundEvaluator::start(model, small, 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  const auto path = write_parameters(learning::describe_archive(model)->parameters, "unfit.f32");
  (*evaluator)->request(path);
  const auto metrics = wait_for(**evaluator);
  ASSERT_TRUE(metrics) << metrics.error().text();
  EXPECT_EQ(metrics->at(0).name, "loss");
  EXPECT_NE((*evaluator)->take_warning().find("metrics needs `mask: Tensor`"), std::string::npos);
  (*evaluator)->request(path);
  ASSERT_TRUE(wait_for(**evaluator));
  EXPECT_EQ((*evaluator)->take_warning(), "");
}

TEST_F(ModelProcess, ADivergedModelsLossIsNotANumberAndStillAnAnswer) {
  auto evaluator = BackgroundEvaluator::start(archive(), data(), 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  const auto facts = learning::describe_archive(archive());
  (*evaluator)
      ->request(write_parameters(
          std::vector<float>(facts->parameters.size(), std::numeric_limits<float>::quiet_NaN()), "nan.f32"));
  const auto answer = wait_for(**evaluator);
  ASSERT_TRUE(answer) << answer.error().text();
  for (const Metric& metric : *answer)
    EXPECT_TRUE(metric.name != "loss" || std::isnan(metric.sum)) << metric.sum;
}

TEST_F(ModelProcess, AWrongRequestIsAnErrorAndTheNextOneIsAnswered) {
  auto evaluator = BackgroundEvaluator::start(archive(), data(), 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  (*evaluator)->request(folder_->path() / "missing.f32");
  const auto missing = wait_for(**evaluator);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::storage);
  (*evaluator)->request(write_parameters(std::vector<float>(3), "short.f32"));
  EXPECT_FALSE(wait_for(**evaluator));
  const auto facts = learning::describe_archive(archive());
  (*evaluator)->request(write_parameters(facts->parameters, "b.f32"));
  EXPECT_TRUE(wait_for(**evaluator));
}

TEST_F(ModelProcess, UnusableDataIsReportedAtTheStart) {
  auto config = data();
  config.labels = folder_->path() / "no-labels";
  const auto evaluator = BackgroundEvaluator::start(archive(), config, 1);
  ASSERT_FALSE(evaluator);
  EXPECT_EQ(evaluator.error().code, ErrorCode::data) << evaluator.error().text();
  EXPECT_FALSE(BackgroundEvaluator::start(folder_->path() / "none.pt", data(), 1));
}

TEST_F(ModelProcess, AKilledChildIsAnErrorNamingTheSignalAndTheNextRequestStartsAnother) {
  auto evaluator = BackgroundEvaluator::start(archive(), data(), 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  const auto facts = learning::describe_archive(archive());
  const auto path = write_parameters(facts->parameters, "c.f32");
  const pid_t child = only_child();
  ASSERT_GT(child, 0);
  ASSERT_EQ(::kill(child, SIGSTOP), 0);  // so that it is killed before it answers
  (*evaluator)->request(path);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  const auto died = wait_for(**evaluator);
  ASSERT_FALSE(died);
  EXPECT_NE(died.error().what.find("SIGKILL"), std::string::npos) << died.error().text();
  EXPECT_FALSE((*evaluator)->busy());
  (*evaluator)->request(path);
  EXPECT_GE((*evaluator)->descriptor(), 0);
  EXPECT_NE(only_child(), child);
  EXPECT_TRUE(wait_for(**evaluator));
}

TEST_F(ModelProcess, AChildThatDiesWhileIdleIsReplacedWithoutAnError) {
  auto evaluator = BackgroundEvaluator::start(archive(), data(), 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  ASSERT_EQ(::kill(only_child(), SIGKILL), 0);
  pollfd waiting{(*evaluator)->descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, -1), 1);
  EXPECT_FALSE((*evaluator)->take().has_value());
  EXPECT_LT((*evaluator)->descriptor(), 0);  // nothing more to wait for
  const auto facts = learning::describe_archive(archive());
  (*evaluator)->request(write_parameters(facts->parameters, "d.f32"));
  EXPECT_TRUE(wait_for(**evaluator));
}

TEST_F(ModelProcess, NoChildOutlivesItsEvaluator) {
  {
    auto evaluator = BackgroundEvaluator::start(archive(), data(), 1);
    ASSERT_TRUE(evaluator);
    ASSERT_GT(only_child(), 0);
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Child, AMissingProgramIsNamed) {
  const auto child = Child::start("/no/such/program");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().location, "/no/such/program");
  EXPECT_EQ(child.error().code, ErrorCode::storage);
}

TEST(Child, TheExitStatusIsReported) {
  auto child = Child::start("/bin/false");
  ASSERT_TRUE(child);
  const auto frame = child->wait();
  ASSERT_FALSE(frame);
  EXPECT_NE(frame.error().what.find("exit status 1"), std::string::npos) << frame.error().text();
}

// A service manager stops all processes of a service at once, also one that is still being loaded.
TEST(Child, ASignalToStopDoesNotEndItBeforeItsParentDoes) {
  const TemporaryFolder folder;
  const auto program = folder / "program";
  ASSERT_TRUE(
      write_file_atomically(program, std::string("#!/bin/sh\nkill -TERM $$\nkill -INT $$\nexit 7\n")));
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  auto child = Child::start(program);
  ASSERT_TRUE(child) << child.error().text();
  const auto frame = child->wait();
  ASSERT_FALSE(frame);
  EXPECT_NE(frame.error().what.find("exit status 7"), std::string::npos) << frame.error().text();
}

TEST(Wire, ErrorsAndMetricsAreReadBack) {
  const Error error{ErrorCode::data, "a.idx:3", "is cut \"short\"", "fetch it again"};
  const auto frame = learning::frame_of(learning::json_of(error));
  const auto parsed = learning::parse_frame(frame, "child");
  ASSERT_TRUE(parsed);
  const auto back = learning::require_ok(*parsed, "child");
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, error.code);
  EXPECT_EQ(back.error().text(), error.text());
  const Metrics metrics{{"loss", 1.0 / 3, 600}, {"worst", -std::numeric_limits<double>::infinity(), 1}};
  EXPECT_EQ(learning::metrics_of(learning::json_of(metrics)), metrics);
}

TEST(Wire, FramesThatAreNotAnswersAreRefused) {
  for (const char* frame : {"", "x", "[]", "3", "{\"ok\":"})
    EXPECT_FALSE(learning::parse_frame(frame, "child")) << frame;
  EXPECT_FALSE(learning::require_ok(learning::Json{{"ok", 3}}, "child"));
  EXPECT_FALSE(learning::require_ok(learning::Json::object(), "child"));
}

}  // namespace
}  // namespace hansa::server
