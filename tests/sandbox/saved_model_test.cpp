// Models that a trainer saves for programs of the device, while a model's code has taken the trainer over
// (taken_over_trainer.cpp).
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>

#include "client/trainer/process_trainer.h"
#include "tests/learning/small_archive.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using learning::testing::SmallArchive;
using ::testing::HasSubstr;

std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class AdversarySavedModel : public ::testing::Test {
 protected:
  AdversarySavedModel() {
    std::ofstream(archive_, std::ios::binary) << learning::testing::bytes_of(signed_);
    config_.data = std::shared_ptr<learning::DataSupply>();
    config_.program = HANSA_TAKEN_OVER_TRAINER;
  }
  Result<learning::WrittenFile> save(std::stop_token stop) {
    ProcessTrainer trainer(config_, Logger());
    learning::TrainingRequest request;
    request.archive = archive_;
    request.layout = sha256(std::string_view(layout_));
    request.inputs.push_back({std::string(model_input), values_});
    return trainer.save(request, learning::PersonalValues::archived, out_, std::move(stop));
  }
  // Saves while the trainer answers with these places, or with another layout.
  Result<learning::WrittenFile> save_at(const std::string& places, std::string layout = "") {
    if (layout.empty()) layout = layout_;
    std::ofstream lies(archive_.string() + ".places");
    lies << layout.size() << "\n" << places.size() << "\n0\n0\n\n" << layout << places;
    lies.close();
    return save({});
  }
  void expect_refused(const std::string& places, const char* what, const std::string& layout = "") {
    std::ofstream(out_) << "the model of before";
    const auto saved = save_at(places, layout);
    ASSERT_FALSE(saved) << places;
    EXPECT_EQ(saved.error().code, ErrorCode::model) << saved.error().text();
    EXPECT_THAT(saved.error().text(), HasSubstr(what));
    EXPECT_EQ(bytes_of_file(out_), "the model of before");
  }
  // The signed archive in which the tensors have other values.
  [[nodiscard]] std::string with(const std::vector<float>& a, const std::vector<float>& b) const {
    SmallArchive out = signed_;
    std::memcpy(out.records[0].content.data(), a.data(), out.records[0].content.size());
    std::memcpy(out.records[1].content.data(), b.data(), out.records[1].content.size());
    return learning::testing::bytes_of(out);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_.path() / "model.pt";
  std::filesystem::path out_ = folder_.path() / "global.pt";
  SmallArchive signed_ = learning::testing::two_tensors();
  const std::string layout_ = "trainable a 3\ntrainable b\n";
  std::vector<float> values_ = {10, 20, 30, 40};
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

TEST_F(AdversarySavedModel, ATrainerThatIsHonestGivesTheSignedArchiveWithTheValues) {
  const auto saved = save_at("data/0 0 1\ndata/1 0\n");
  ASSERT_TRUE(saved) << saved.error().text();
  EXPECT_EQ(bytes_of_file(out_), with({10, 20, 30}, {40}));
  EXPECT_EQ(saved->bytes, std::filesystem::file_size(out_));
}

TEST_F(AdversarySavedModel, OtherCodeIsNotWritten) {
  for (const char* record : {"code/__torch__/m.py", "data.pkl", "version"})
    expect_refused(std::string(record) + " 0 1\ndata/1 0\n", "not in a record of the archive");
}

TEST_F(AdversarySavedModel, OtherConstantsAreNotWritten) {
  expect_refused("constants/0 0 1\ndata/1 0\n", "not in a record of the archive");
}

TEST_F(AdversarySavedModel, AnUnknownRecordIsNotWritten) {
  expect_refused("data/2 0 1\ndata/1 0\n", "not in a record of the archive");
}

TEST_F(AdversarySavedModel, ValuesOfAnotherSizeAreNotWritten) {
  expect_refused("data/1 0 1\ndata/0 0\n", "lies beyond its record");
  expect_refused("data/0 0 1\ndata/1 0\n", "another layout", "trainable a 2\ntrainable b\n");
}

TEST_F(AdversarySavedModel, MoreRecordsThanTheLayoutHasAreNotWritten) {
  expect_refused("data/0 0 1\ndata/1 0\ndata/0 0\n", "cannot be right");
}

TEST_F(AdversarySavedModel, ARecordThatIsNamedTwiceHoldsOnlyValuesOfTheModel) {
  const auto saved = save_at("data/0 0 1\ndata/0 1\n");
  ASSERT_TRUE(saved) << saved.error().text();
  EXPECT_EQ(bytes_of_file(out_), with({10, 40, 30}, {4}));
}

}  // namespace
}  // namespace hansa::client
