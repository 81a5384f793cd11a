// No byte of a device's data leaves it in an error: the device's engine with the real trainer, real models and real data
// files. The test plays the aggregator and reads every frame.
#include <cstring>
#include <fstream>

#include <gtest/gtest.h>

#include "client/engine/engine.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "protocols/messages/codec.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"

namespace hansa::client {
namespace {

using learning::testing::TestModel;
using messages::ToAggregator;

constexpr std::uint32_t chunk_bytes = 64 * 1024;
const SessionId session(70);
const std::string secret = "4711";

class AdversaryReports : public ::testing::Test, public Link, public TrainingRunner, public ArchiveStore {
 protected:
  void data(const std::string& rows) {
    const auto file = folder_ / "patients.csv";
    std::ofstream(file) << rows;
    config_.data.kind = "csv";
    config_.data.file = file;
    config_.data.label = "y";
  }
  void model(TestModel kind) {
    learning::testing::write_archive(kind, archive_, {1, 2});
    const auto facts = learning::describe_archive(archive_);
    ASSERT_TRUE(facts) << facts.error().text();
    values_ = facts->parameters;
    layout_ = facts->layout.digest();
  }
  // Connects, reports the data, and trains once.
  void run() {
    trainer_ = learning::make_local_trainer(config_);
    EngineConfig engine;
    engine.agent.federation = "harbour";
    engine.agent.models.unapproved = Unapproved::train;
    engine.log = [this](const Log& line) { log_ += line.text + "\n"; };
    engine_ = std::make_unique<Engine>(std::move(engine), *this, *this, *this, now_);
    const auto available = trainer_->available_data({});
    if (!available) log_ += available.error().text() + "\n";
    engine_->data_known(data_report(available, {}), description_of(available), now_);
    engine_->tick(now_);
    engine_->link_up(now_);
    tell(messages::Welcome{"a", "run-1", 30'000, chunk_bytes});
    messages::TrainTask task;
    task.task = TaskId(1);
    task.archive = sha256("archive");
    task.archive_bytes = 1;
    task.layout = layout_;
    task.inputs = {{"model",
                    sha256("model"),
                    values_.size() * sizeof(float),
                    checksum(std::span<const float>(values_)),
                    {}}};
    task.method = sgd_method({.epochs = 1, .batch_size = 10});
    task.outputs = {{"delta", values_.size(), {}}};
    task.magnitude_max = 64;
    tell(task);
    tell(messages::BlobChunk{task.inputs[0].vector, 0}, std::as_bytes(std::span(values_)));
    ASSERT_TRUE(vectors_) << log_;
    auto trained = trainer_->train(*request_, outputs_of(*vectors_, task), {});
    ASSERT_FALSE(trained);
    vectors_.reset();
    engine_->training_ended(task, std::move(trained), now_);
    engine_->stop(now_);
    ASSERT_TRUE(declined_);
  }
  void expect_secret_stays() const {
    EXPECT_NE(log_.find(secret), std::string::npos) << "the error quotes it: " << log_;
    EXPECT_EQ(sent_.find(secret), std::string::npos);
  }

  // Link.
  void open(std::uint64_t) override {}
  void close() override {}
  void send(std::span<const std::byte> frame, const transport::Bulk& bulk) override {
    sent_.append(reinterpret_cast<const char*>(frame.data()), frame.size());
    sent_.append(reinterpret_cast<const char*>(bulk.bytes.data()), bulk.bytes.size());
    const auto decoded = messages::decode_to_aggregator(frame);
    ASSERT_TRUE(decoded) << decoded.error().text();
    const auto& message = std::get<messages::Envelope<ToAggregator>>(*decoded).message;
    if (const auto* decline = std::get_if<messages::Decline>(&message)) declined_ = decline->report.reason;
    if (const auto* hello = std::get_if<messages::Hello>(&message)) hello_ = hello->data;
  }
  // TrainingRunner.
  void start(const messages::TrainTask&, learning::TrainingRequest request,
             std::shared_ptr<TaskVectors> vectors) override {
    request_ = std::move(request);
    vectors_ = std::move(vectors);
  }
  void stop() override {}
  // ArchiveStore.
  bool has(const Digest&) override { return true; }
  Result<void> put(const Digest&, std::span<const std::byte>) override { return {}; }
  std::filesystem::path path(const Digest&) const override { return archive_; }

  void tell(const messages::ToClient& message, std::span<const std::byte> bulk = {}) {
    engine_->receive(messages::encode(session, message), bulk, now_);
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  learning::LocalTrainerConfig config_;
  std::unique_ptr<learning::Trainer> trainer_;
  std::vector<float> values_;
  Digest layout_;
  Instant now_{std::chrono::hours(1)};
  std::unique_ptr<Engine> engine_;
  std::optional<learning::TrainingRequest> request_;
  std::shared_ptr<TaskVectors> vectors_;
  std::optional<Reason> declined_;
  messages::DataReport hello_;
  std::string sent_;  // every frame
  std::string log_;  // of the device
};

constexpr const char* rows_of_secret = "a,b,y\n4711.25,4711.25,0\n4711.25,4711.25,1\n4711.25,4711.25,0\n";

TEST_F(AdversaryReports, ALossWhoseErrorQuotesAnExampleTellsOnlyThatItFailed) {
  data(rows_of_secret);
  model(TestModel::raises_data);
  run();
  EXPECT_EQ(*declined_, (Reason{ReasonCode::training_failed, {}}));
  expect_secret_stays();
}

TEST_F(AdversaryReports, ACellThatIsNoNumberIsReportedByItsPosition) {
  data("a,b,y\n1,2,0\n3,patient-4711,1\n5,6,0\n");
  model(TestModel::linear);
  run();
  EXPECT_EQ(hello_.problem.reason,
            (Reason{ReasonCode::value_invalid, {{Quantity::line, 3}, {Quantity::column, 2}}}));
  EXPECT_EQ(*declined_, (Reason{ReasonCode::data, {}})) << "a training reports no numbers";
  expect_secret_stays();
}

TEST_F(AdversaryReports, TheNamesOfColumnsAreNotQuoted) {
  data("patient-4711,weight,outcome\n1,2,0\n3,4,1\n");
  model(TestModel::linear);
  run();
  EXPECT_EQ(hello_.problem.reason.code, ReasonCode::label_missing);
  expect_secret_stays();
}

TEST_F(AdversaryReports, AClassThatIsNotListedIsReportedByItsPosition) {
  data("a,b,y\n1,2,benign\n3,4,type-4711\n5,6,benign\n");
  config_.data.classes = {"benign", "malignant"};
  model(TestModel::linear);
  run();
  EXPECT_EQ(hello_.problem.reason,
            (Reason{ReasonCode::class_unknown, {{Quantity::line, 3}, {Quantity::column, 3}}}));
  expect_secret_stays();
}

TEST_F(AdversaryReports, AnOutputOfADataDependentShapeTellsNoSizes) {
  data("a,b,y\n1,2,0\n3,4,4711\n5,6,0\n");
  model(TestModel::linear);
  run();
  EXPECT_EQ(*declined_, (Reason{ReasonCode::output_unfit, {}}));
  EXPECT_EQ(sent_.find(secret), std::string::npos);
}

}  // namespace
}  // namespace hansa::client
