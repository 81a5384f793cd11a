// The engine with clients that are simulated by raw messages: its behaviour during a commit, and with other forms of
// update.
#include "server/engine/engine.h"

#include <deque>
#include <fstream>

#include <cmath>

#include <gtest/gtest.h>

#include "common/vector_digest.h"
#include "protocols/messages/codec.h"
#include "server/store/memory_store.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr std::size_t elements = 64;

// Holds work until it is asked to run it.
class HeldExecutor final : public Executor {
 public:
  void run(std::function<void()> work, std::function<void()> done) override {
    jobs_.push_back({std::move(work), std::move(done)});
  }
  void wait() override {
    for (auto& [work, done] : jobs_) work();
    jobs_.clear();
  }
  void run_next() {
    auto [work, done] = std::move(jobs_.front());
    jobs_.pop_front();
    work();
    done();
  }
  [[nodiscard]] std::size_t held() const { return jobs_.size(); }

 private:
  std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs_;
};

// One process of the aggregator: an engine, a store on a disk that may outlive the process, and the sent messages.
class Shell : public Outbox, public EngineObserver {
 public:
  explicit Shell(std::shared_ptr<MemoryDisk> disk, EngineConfig config, Executor& executor)
      : store_(std::move(disk)), executor_(executor) {
    const std::vector<float> initial(elements, 1.0F);
    RunIdentity identity;
    identity.federation = "harbour";
    identity.run = "run-1";
    identity.initial_model = vector_digest(initial);
    EXPECT_TRUE(store_.begin_run(identity, initial));
    config.wall_clock = [] { return std::string("2026-01-01T00:00:00Z"); };
    auto engine =
        Engine::create(std::move(config), {store_, *this, workers_, spools_, *this, executor_}, now_);
    EXPECT_TRUE(engine) << engine.error().text();
    if (engine) engine_ = std::move(*engine);
  }

  transport::Sent send(PeerId peer, std::span<const std::byte> message,
                       const transport::Bulk& bulk) override {
    auto decoded = messages::decode_to_client(message);
    EXPECT_TRUE(decoded);
    auto& envelope = std::get<messages::Envelope<messages::ToClient>>(*decoded);
    if (std::holds_alternative<messages::Welcome>(envelope.message)) sessions_[peer] = envelope.session;
    sent_[peer].push_back(std::move(envelope.message));
    bulk_bytes_[peer] += bulk.bytes.size();
    return transport::Sent::queued;
  }
  void on_log(const Log& line) override { log.push_back(line.text); }
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const RoundRecord& record) override { committed.push_back(record); }

  void say(PeerId peer, const messages::ToAggregator& message, std::span<const std::byte> bulk = {}) {
    engine_->receive(peer, "client-" + std::to_string(peer.value), messages::encode(sessions_[peer], message),
                     bulk, now_);
  }
  void connect(PeerId peer) {
    say(peer, messages::Hello{"harbour", 7 + peer.value, "test", {10, 0, {}, {}}});
  }
  // Sends an update with these values, and handles all messages up to its receipt.
  void send_update(PeerId peer, std::span<const float> delta, std::uint64_t examples = 10) {
    const auto tasks = of<messages::TrainTask>(peer);
    ASSERT_FALSE(tasks.empty());
    const TaskId task = tasks.back().task;
    messages::Offer offer;
    offer.task = task;
    offer.update = checksum(delta);
    offer.bytes = delta.size_bytes();
    offer.examples = examples;
    say(peer, offer);
    ASSERT_FALSE(of<messages::Grant>(peer).empty());
    say(peer, messages::UpdateChunk{task, 0}, std::as_bytes(delta));
  }
  template <class T>
  [[nodiscard]] std::vector<T> of(PeerId peer) {
    std::vector<T> out;
    for (const auto& message : sent_[peer])
      if (const auto* found = std::get_if<T>(&message)) out.push_back(*found);
    return out;
  }
  [[nodiscard]] std::uint64_t bulk_bytes(PeerId peer) { return bulk_bytes_[peer]; }
  // Sends a message of the wrong direction.
  void say_misdirected(PeerId peer, const messages::ToClient& message) {
    engine_->receive(peer, "client-" + std::to_string(peer.value), messages::encode(sessions_[peer], message),
                     {}, now_);
  }
  void forget() {
    sent_.clear();
    bulk_bytes_.clear();
  }
  Engine& engine() { return *engine_; }

  std::vector<RoundRecord> committed;
  std::vector<std::string> log;

 private:
  Instant now_ = Instant(std::chrono::hours(1));
  MemoryStore store_;
  WorkerPool workers_{1};
  SpoolPool spools_{::testing::TempDir(), 1 << 20};
  Executor& executor_;
  std::map<PeerId, std::vector<messages::ToClient>> sent_;
  std::map<PeerId, SessionId> sessions_;
  std::map<PeerId, std::uint64_t> bulk_bytes_;
  std::unique_ptr<Engine> engine_;
};

class EngineTest : public ::testing::Test {
 protected:
  EngineConfig config(std::uint32_t clients, std::uint32_t rounds) {
    const std::string archive(100, 'a');
    std::ofstream(folder_ / "archive") << archive;
    EngineConfig c;
    c.archive = folder_ / "archive";
    c.coordinator.settings.federation = "harbour";

    c.coordinator.settings.rounds = rounds;
    c.coordinator.settings.cohort.clients_min = c.coordinator.settings.cohort.clients_expected = clients;
    c.coordinator.model.archive = sha256(std::string_view(archive));
    c.coordinator.model.archive_bytes = archive.size();
    c.coordinator.model.elements = elements;
    return c;
  }

  TemporaryFolder folder_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::vector<float> delta_ = std::vector<float>(elements, 0.5F);
};

TEST_F(EngineTest, AMessageThatOnlyAnAggregatorSendsEndsTheSession) {
  HeldExecutor executor;
  Shell shell(disk_, config(2, 1), executor);
  const PeerId a(1);
  shell.connect(a);
  shell.say_misdirected(a, messages::Grant{TaskId(1), 0, 9});
  const auto refusals = shell.of<messages::Refuse>(a);
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].reason, messages::RefuseReason::out_of_order);
  EXPECT_EQ(refusals[0].what, "Grant is not for a client to send");
  shell.say(a, messages::Ping{});
  ASSERT_EQ(shell.of<messages::Refuse>(a).size(), 2U);
  EXPECT_EQ(shell.of<messages::Refuse>(a)[1].reason, messages::RefuseReason::unknown_session);
}

TEST_F(EngineTest, AnswersWhatNeedsNoModelWhileACommitIsInProgress) {
  HeldExecutor executor;
  Shell shell(disk_, config(1, 2), executor);
  const PeerId a(1), b(2);
  shell.connect(a);
  const Digest first_model = shell.engine().model();
  shell.send_update(a, delta_);
  ASSERT_EQ(executor.held(), 1U);
  EXPECT_EQ(shell.of<messages::Receipt>(a).size(), 1U) << "counted updates are acknowledged before";
  EXPECT_TRUE(shell.committed.empty());
  shell.forget();

  shell.say(a, messages::Ping{});
  EXPECT_EQ(shell.of<messages::Pong>(a).size(), 1U);
  shell.connect(b);
  EXPECT_EQ(shell.of<messages::Welcome>(b).size(), 1U);
  EXPECT_TRUE(shell.of<messages::TrainTask>(b).empty());
  shell.say(b, messages::Pull{sha256(std::string(100, 'a')), 0, 100});
  EXPECT_EQ(shell.of<messages::BlobChunk>(b).size(), 1U);
  EXPECT_EQ(shell.bulk_bytes(b), 100U);
  shell.say(b, messages::Pull{first_model, 0, 100});
  EXPECT_EQ(shell.of<messages::Missing>(b).size(), 1U) << "the model's memory is the commit's";
  EXPECT_TRUE(disk_->rounds.empty());

  executor.run_next();
  ASSERT_EQ(shell.committed.size(), 1U);
  EXPECT_EQ(shell.engine().last_committed(), RoundId(1));
  EXPECT_EQ(disk_->models.at(shell.engine().model()), std::vector<float>(elements, 1.5F));
  EXPECT_EQ(shell.of<messages::TrainTask>(a).size(), 1U) << "the next round begins";
  shell.say(a, messages::Pull{shell.engine().model(), 0, elements * sizeof(float)});
  EXPECT_EQ(shell.bulk_bytes(a), elements * sizeof(float));
}

TEST_F(EngineTest, AStopWaitsForTheCommitInProgress) {
  HeldExecutor executor;
  Shell shell(disk_, config(1, 5), executor);
  shell.connect(PeerId(1));
  shell.send_update(PeerId(1), delta_);
  shell.engine().stop(Instant(std::chrono::hours(1)));
  EXPECT_FALSE(shell.engine().finished());
  executor.run_next();
  ASSERT_TRUE(shell.engine().finished());
  EXPECT_EQ(shell.engine().finished()->why, Finish::Why::stopped);
  EXPECT_EQ(shell.engine().last_committed(), RoundId(1));
}

TEST_F(EngineTest, DestroyedDuringACommitItWaitsForTheCommit) {
  HeldExecutor executor;
  {
    Shell shell(disk_, config(1, 2), executor);
    shell.connect(PeerId(1));
    shell.send_update(PeerId(1), delta_);
  }
  EXPECT_EQ(executor.held(), 0U);
  EXPECT_EQ(disk_->rounds.size(), 1U) << "what was in progress is durable";
}

TEST_F(EngineTest, ARobustRuleMakesTheModelOfARound) {
  InlineExecutor executor;
  auto c = config(3, 1);
  c.coordinator.settings.aggregation.name = "median";
  Shell shell(disk_, std::move(c), executor);
  for (std::uint64_t i = 1; i <= 3; ++i) shell.connect(PeerId(i));
  shell.send_update(PeerId(1), std::vector<float>(elements, 0.25F));
  shell.send_update(PeerId(2), std::vector<float>(elements, 4.0F));  // a client that would spoil a mean
  shell.send_update(PeerId(3), std::vector<float>(elements, 0.5F));
  ASSERT_EQ(shell.committed.size(), 1U);
  EXPECT_EQ(disk_->models.at(shell.engine().model()), std::vector<float>(elements, 1.5F));
}

TEST_F(EngineTest, ContinuesWithTheOptimisersState) {
  auto c = config(1, 3);
  c.optimizer = {"fedavgm", 0.5};
  for (int round = 0; round < 3; ++round) {
    InlineExecutor executor;
    Shell shell(disk_, c, executor);  // started again after each round
    shell.connect(PeerId(1));
    shell.send_update(PeerId(1), delta_);
    ASSERT_GE(shell.committed.size(), 1U);
    ASSERT_EQ(shell.committed.back().state.size(), 1U);
    EXPECT_EQ(shell.committed.back().state[0].name, "fedavgm.velocity");
  }
  // v: 0.5, 0.75, 0.875.
  EXPECT_EQ(disk_->models.at(disk_->rounds[0].model), std::vector<float>(elements, 1.5F));
  EXPECT_EQ(disk_->models.at(disk_->rounds[1].model), std::vector<float>(elements, 2.25F));
  EXPECT_EQ(disk_->models.at(disk_->rounds[2].model), std::vector<float>(elements, 3.125F));
  EXPECT_EQ(disk_->models.at(disk_->rounds[2].state[0].vector), std::vector<float>(elements, 0.875F));
}

TEST_F(EngineTest, ARuleThatBeginsAtTheLastAggregateContinuesThereAfterARestart) {
  auto c = config(1, 3);
  c.coordinator.settings.aggregation = {.name = "centred_clipping", .norm = 0.25, .passes = 1};
  for (int round = 0; round < 3; ++round) {
    InlineExecutor executor;
    Shell shell(disk_, c, executor);  // started again after each round
    shell.connect(PeerId(1));
    shell.send_update(PeerId(1), delta_);
    ASSERT_GE(shell.committed.size(), 1U);
    ASSERT_EQ(shell.committed.back().state.size(), 1U);
    EXPECT_EQ(shell.committed.back().state[0].name, "aggregation.previous");
  }
  // The centre moves by 0.25 a round towards the update, whose norm is larger.
  const auto& centre = disk_->models.at(disk_->rounds[2].state[0].vector);
  double squares = 0;
  for (const float value : centre) squares += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(std::sqrt(squares), 0.75, 1e-5);
}

TEST_F(EngineTest, BeginsWithTheRunsInitialState) {
  InlineExecutor executor;
  auto c = config(1, 1);
  c.optimizer = {"fedavgm", 0.5};
  const std::vector<float> velocity(elements, 1.0F);
  disk_->models.emplace(vector_digest(velocity), velocity);
  c.initial_state = {{"fedavgm.velocity", vector_digest(velocity)}};
  Shell shell(disk_, std::move(c), executor);
  shell.connect(PeerId(1));
  shell.send_update(PeerId(1), delta_);
  ASSERT_EQ(shell.committed.size(), 1U);
  EXPECT_EQ(disk_->models.at(shell.engine().model()), std::vector<float>(elements, 2.0F));
}

TEST_F(EngineTest, AnOptimiserWhoseStateTheLastRoundDidNotKeepStartsAtZeroAndSaysSo) {
  InlineExecutor executor;
  auto c = config(1, 2);
  {
    Shell shell(disk_, c, executor);
    shell.connect(PeerId(1));
    shell.send_update(PeerId(1), delta_);
  }
  c.optimizer = {"fedavgm", 0.5};
  Shell shell(disk_, c, executor);
  ASSERT_FALSE(shell.log.empty());
  EXPECT_NE(shell.log[0].find("fedavgm.velocity"), std::string::npos) << shell.log[0];
}

}  // namespace
}  // namespace hansa::server
