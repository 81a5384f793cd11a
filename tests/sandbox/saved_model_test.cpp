// Models that a trainer saves for programs of the device, while a model's code has taken the trainer over
// (taken_over_trainer.cpp).
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "client/trainer/process_trainer.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using ::testing::HasSubstr;

class AdversarySavedModel : public ::testing::Test {
 protected:
  AdversarySavedModel() {
    std::ofstream(archive_) << "the archive, which nobody reads here";
    config_.data = std::shared_ptr<learning::DataSupply>();
    config_.program = HANSA_TAKEN_OVER_TRAINER;
  }
  Result<std::string> save(std::stop_token stop) {
    ProcessTrainer trainer(config_, Logger());
    learning::TrainingRequest request;
    request.archive = archive_;
    request.inputs.push_back({std::string(model_input), values_});
    return trainer.save(request, learning::PersonalValues::archived, std::move(stop));
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_.path() / "model.pt";
  std::vector<float> values_ = std::vector<float>(4);
  ProcessTrainerConfig config_;
};

TEST_F(AdversarySavedModel, ATrainerThatOnlyCountsStepsIsEnded) {
  config_.limits.stall = std::chrono::milliseconds(200);
  const auto saved = save({});
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::resource) << saved.error().text();
  EXPECT_THAT(saved.error().text(), HasSubstr("was not saved within"));
}

TEST_F(AdversarySavedModel, ATrainerThatSavesForEverDoesNotKeepTheClientFromEnding) {
  config_.limits.stall = std::chrono::hours(1);
  config_.limits.stop_grace = std::chrono::milliseconds(100);
  std::stop_source stop;
  const std::jthread stopper([&](const std::stop_token& quit) {
    while (!quit.stop_requested() && !std::filesystem::exists(archive_.string() + ".saving"))
      std::this_thread::yield();
    stop.request_stop();
  });
  const auto saved = save(stop.get_token());
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().reason.code, ReasonCode::stopped) << saved.error().text();
}

}  // namespace
}  // namespace hansa::client
