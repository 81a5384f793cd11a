// A task with an additional vector in each direction, from TrainTask to the uploaded bytes: the device's engine and the
// real trainer, with the aggregator played by the test.
#include <cmath>
#include <cstring>
#include <deque>
#include <set>

#include <gtest/gtest.h>

#include "client/engine/engine.h"
#include "client/ledger/memory_ledger.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "protocols/codecs/update.h"
#include "protocols/messages/codec.h"
#include "tests/data/data_files.h"
#include "tests/learning/anchored_method.h"

namespace hansa::client {
namespace {

using messages::ToAggregator;
using messages::ToClient;

constexpr std::uint32_t chunk_bytes = 64 * 1024;
const SessionId session(70);

struct CountingLedger final : DeviceLedger {
  Result<learning::KeptVectors> find(TaskId task, std::string_view scope) override {
    return ledger.find(task, scope);
  }
  Result<void> stage(const StagedChanges& changes) override { return ledger.stage(changes); }
  Result<bool> apply(TaskId task) override {
    auto out = ledger.apply(task);
    if (out && *out) ++applied;
    return out;
  }
  MemoryLedger ledger;
  int applied = 0;
};

// Plays the aggregator: answers pulls and grants offered updates.
class MethodInEngine : public ::testing::Test, public Link, public TrainingRunner, public ArchiveStore {
 protected:
  MethodInEngine() {
    learning::LocalTrainerConfig config;
    config.data = learning::testing::write_data(folder_, {60, 28, 28, 10}, 1);
    config.methods = learning::testing::with_anchored();
    trainer_ = learning::make_local_trainer(config);
    EXPECT_TRUE(learning::create_built_in("mlp", 3, archive_));
    const auto facts = learning::describe_archive(archive_);
    EXPECT_TRUE(facts) << facts.error().text();
    model_ = facts->parameters;
    anchor_.assign(model_.size(), 0.125F);
    task_.task = TaskId(1);
    task_.archive = sha256("archive");
    task_.archive_bytes = 1;
    task_.layout = facts->layout.digest();
    task_.inputs = {input("model", model_), input("anchor", anchor_)};
    task_.method = sgd_method({.epochs = 1, .batch_size = 10});
    task_.method.name = "anchored";
    task_.method.options.push_back({"pull", 0.5});
    task_.outputs = {{"delta", model_.size(), {}}, {"drift", model_.size(), {}}};
    task_.seed = 7;
    task_.magnitude_max = 1e6;
    EngineConfig engine;
    engine.agent.federation = "harbour";
    engine.agent.models.unapproved = Unapproved::train;
    engine.agent.methods = config.methods->table();
    engine.ledger = ledger_;
    engine_ = std::make_unique<Engine>(std::move(engine), *this, *this, *this, now_);
  }
  static messages::TaskInput input(const std::string& name, const std::vector<float>& values) {
    return {name, sha256(name), values.size() * sizeof(float), checksum(std::span<const float>(values)), {}};
  }

  // Link.
  void open(std::uint64_t) override { opened_ = true; }
  void close() override {}
  void send(std::span<const std::byte> frame, const transport::Bulk& bulk) override {
    const auto decoded = messages::decode_to_aggregator(frame);
    ASSERT_TRUE(decoded) << decoded.error().text();
    const auto* envelope = std::get_if<messages::Envelope<ToAggregator>>(&*decoded);
    ASSERT_NE(envelope, nullptr);
    said_.push_back({envelope->message, {bulk.bytes.begin(), bulk.bytes.end()}});
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

  void tell(const ToClient& message, std::span<const std::byte> bulk = {}) {
    engine_->receive(messages::encode(session, message), bulk, now_);
  }
  void answer(const messages::Pull& pull) {
    pulled_.insert(pull.blob == task_.inputs[0].vector ? "model" : "anchor");
    const auto& values = pull.blob == task_.inputs[0].vector ? model_ : anchor_;
    const auto bytes = std::as_bytes(std::span(values));
    for (std::uint64_t at = pull.offset; at < pull.offset + pull.bytes; at += chunk_bytes)
      tell(messages::BlobChunk{pull.blob, at},
           bytes.subspan(at, std::min<std::uint64_t>(chunk_bytes, pull.offset + pull.bytes - at)));
  }
  // Serves the engine until it has no more messages.
  void answer_pulls() {
    while (!said_.empty()) {
      const auto [message, bulk] = std::move(said_.front());
      said_.pop_front();
      if (const auto* pull = std::get_if<messages::Pull>(&message)) answer(*pull);
      if (const auto* decline = std::get_if<messages::Decline>(&message))
        declined_ = decline->report.reason.code;
      if (const auto* offer = std::get_if<messages::Offer>(&message)) {
        offer_ = *offer;
        tell(messages::Grant{offer->task, 0, std::min<std::uint64_t>(offer->bytes, 4 * chunk_bytes)});
      }
      if (const auto* chunk = std::get_if<messages::UpdateChunk>(&message)) {
        ASSERT_EQ(chunk->offset, update_.size());
        update_.insert(update_.end(), bulk.begin(), bulk.end());
        if (update_.size() % (4 * chunk_bytes) == 0 && update_.size() < offer_.bytes)
          tell(messages::Grant{chunk->task, update_.size(),
                               std::min<std::uint64_t>(offer_.bytes, update_.size() + 4 * chunk_bytes)});
      }
    }
  }
  // Runs from the first tick until the update is complete.
  void run() {
    engine_->data_known({60, 0}, std::nullopt, now_);
    engine_->tick(now_);
    ASSERT_TRUE(opened_);
    engine_->link_up(now_);
    tell(messages::Welcome{"a", "run-1", 30'000, chunk_bytes});
    tell(task_);
    answer_pulls();
    if (!vectors_) return;
    auto trained = trainer_->train(*request_, outputs_of(*vectors_, task_), {});
    ASSERT_TRUE(trained) << trained.error().text();
    vectors_.reset();
    engine_->training_ended(task_, std::move(trained), now_);
    answer_pulls();
    ASSERT_EQ(update_.size(), offer_.bytes);
    EXPECT_EQ(checksum(std::span<const std::byte>(update_)), offer_.update);
  }
  // The update that the trainer computes without the engine.
  std::vector<float> expected() {
    std::vector<float> out(2 * model_.size());
    learning::TrainingRequest request = *request_;
    request.inputs = {{"model", model_}, {"anchor", anchor_}};
    const std::span<float> all(out);
    const learning::OutputVector outputs[] = {{"delta", all.first(model_.size())},
                                              {"drift", all.subspan(model_.size())}};
    EXPECT_TRUE(trainer_->train(request, outputs, {}));
    return out;
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  std::unique_ptr<learning::Trainer> trainer_;
  std::vector<float> model_, anchor_;
  messages::TrainTask task_;
  Instant now_{std::chrono::hours(1)};
  std::shared_ptr<CountingLedger> ledger_ = std::make_shared<CountingLedger>();
  std::unique_ptr<Engine> engine_;
  struct Said {
    ToAggregator message;
    std::vector<std::byte> bulk;
  };
  std::deque<Said> said_;
  bool opened_ = false;
  std::optional<learning::TrainingRequest> request_;
  std::shared_ptr<TaskVectors> vectors_;
  std::set<std::string> pulled_;
  ReasonCode declined_ = ReasonCode::none;
  messages::Offer offer_;
  std::vector<std::byte> update_;
};

TEST_F(MethodInEngine, BothInputsArriveAndTheUpdateConsistsOfBothOutputs) {
  run();
  EXPECT_EQ(pulled_, (std::set<std::string>{"anchor", "model"}));
  const std::vector<float> values = expected();
  ASSERT_EQ(update_.size(), values.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(update_.data(), values.data(), update_.size()), 0);
}

TEST_F(MethodInEngine, TheSegmentsOfBothOutputsAreOneCodecPlan) {
  task_.compression.emplace();
  task_.outputs[0].segments = {{model_.size(), {codecs::Kind::f16, 0, 0, 0}, 0}};
  task_.outputs[1].segments = {{model_.size(), {codecs::Kind::f32, 0, 0, 0}, 0}};
  run();
  const auto plan = codecs::Plan::create(messages::update_segments(task_));
  ASSERT_TRUE(plan);
  std::vector<std::byte> memory;
  const auto update = codecs::Update::read(*plan, messages::update_seeds(task_), 1e6F, update_, memory);
  ASSERT_TRUE(update) << update.error().text();
  std::vector<float> values(plan->values());
  (void)update->accumulate(values);
  const std::vector<float> exact = expected();
  for (std::size_t i = 0; i < model_.size(); i += 31) {
    ASSERT_NEAR(values[i], exact[i], 1e-3 * std::abs(exact[i]) + 1e-6) << i;
    ASSERT_EQ(values[model_.size() + i], exact[model_.size() + i]) << i;
  }
}

TEST_F(MethodInEngine, ARepeatedReceiptChangesTheDeviceOnce) {
  run();
  EXPECT_EQ(ledger_->applied, 0);
  for (int repeated = 0; repeated < 3; ++repeated) {
    tell(messages::Receipt{task_.task, messages::Verdict::counted, ""});
    EXPECT_EQ(ledger_->applied, 1);
  }
}

TEST_F(MethodInEngine, AStoredInputIsNotFetchedAgain) {
  run();
  pulled_.clear();
  update_.clear();
  tell(messages::Receipt{task_.task, messages::Verdict::counted, ""});
  task_.task = TaskId(2);
  for (float& value : model_) value += 0.5F;
  task_.inputs[0] = input("model", model_);
  task_.inputs[0].vector = sha256("the next model");
  tell(task_);
  answer_pulls();
  EXPECT_EQ(pulled_, std::set<std::string>{"model"});
  ASSERT_TRUE(vectors_);
  EXPECT_EQ(std::vector<float>(request_->inputs[1].values.begin(), request_->inputs[1].values.end()),
            anchor_);
}

TEST_F(MethodInEngine, AMessageThatOnlyAClientSendsIsIgnored) {
  engine_->tick(now_);
  engine_->link_up(now_);
  tell(messages::Welcome{"a", "run-1", 30'000, chunk_bytes});
  said_.clear();
  const auto frame = messages::encode(session, ToAggregator(messages::Pull{task_.archive, 0, 1}));
  engine_->receive(frame, {}, now_);
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(engine_->agent().state(), LinkState::online);
}

TEST_F(MethodInEngine, AnUnknownOptionIsDeclined) {
  task_.method.options.push_back({"mu", 0.1});
  run();
  EXPECT_EQ(declined_, ReasonCode::option_invalid);
}

}  // namespace
}  // namespace hansa::client
