#include "tests/agent/harness.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/digest.h"
#include "tests/log_line.h"

namespace hansa::client::testing {

AgentConfig Harness::small_config() {
  AgentConfig c;
  c.federation = "harbour";
  c.software = "hansa test";
  c.instance = 77;
  c.models.unapproved = Unapproved::train;
  return c;
}

void bind_work(messages::TrainTask& task) {
  for (messages::TaskInput& input : task.inputs) input.values = sha256(input.name + " values");
  task.secure->seed = 99;
  task.seed = messages::training_seed(99, "a");
}

Harness::Harness(const AgentConfig& config) : now(Instant(std::chrono::hours(1))), agent(config, now) {}

void Harness::apply(const Event& event) {
  const std::size_t before = effects.size();
  agent.apply(event, now, effects);
  for (std::size_t i = before; i < effects.size(); ++i)
    if (const auto* line = std::get_if<Log>(&effects[i])) hansa::testing::expect_described(*line);
}

void Harness::receive(SessionId from, const messages::ToClient& message, std::uint64_t bulk_bytes) {
  const std::vector<std::byte> bulk(bulk_bytes);
  apply(Received{from, message, bulk});
}

void Harness::advance(Duration duration) {
  const Instant until = now + duration;
  int ticks = 0;
  while (now < until) {
    now = std::min(std::max(agent.next_tick(), now), until);
    apply(TickEvent{});
    ASSERT_LT(++ticks, 100'000) << "the agent asks for ticks without end";
  }
}

void Harness::reach_linking() {
  if (agent.state() == LinkState::offline) {
    now = std::max(now, agent.next_tick());
    apply(TickEvent{});
  }
  ASSERT_EQ(agent.state(), LinkState::linking);
}

void Harness::reach_greeting() {
  reach_linking();
  apply(LinkUp{});
  ASSERT_EQ(agent.state(), LinkState::greeting);
}

void Harness::go_online() {
  if (agent.state() != LinkState::greeting) reach_greeting();
  session = SessionId(++sessions);
  receive(messages::Welcome{"a", "run-1", lease_ms, chunk_bytes});
  ASSERT_EQ(agent.state(), LinkState::online);
}

messages::TrainTask Harness::make_task(std::uint64_t number) const {
  messages::TrainTask task;
  task.task = TaskId(number);
  task.round = RoundId(static_cast<std::uint32_t>(number));
  task.archive = sha256("archive");
  task.archive_bytes = 250;
  task.inputs = {{"model", sha256("model " + std::to_string(number)), 400, {}, {}}};
  task.method = sgd_method({});
  task.magnitude_max = 64;
  task.outputs = {{"delta", 100, {}}};
  return task;
}

void Harness::train(const messages::TrainTask& task) {
  if (agent.state() != LinkState::online) go_online();
  receive(task);
  apply(ArchiveLookedUp{round::ArchiveCache::present});
  for (const messages::TaskInput& input : task.inputs) {
    for (std::uint64_t offset = 0; offset < input.bytes; offset += chunk_bytes)
      receive(messages::BlobChunk{input.vector, offset}, chunk_bytes);
    apply(BlobChecked{input.vector, true});
  }
  ASSERT_TRUE(agent.task());
  ASSERT_EQ(agent.task()->state(), round::TaskState::training);
}

void Harness::end_training(const messages::TrainTask& task) {
  messages::Offer offer;
  offer.task = task.task;
  offer.bytes = messages::update_values(task) * sizeof(float);
  offer.examples = 10;
  apply(TrainingEnded{task.task, offer});
}

}  // namespace hansa::client::testing
