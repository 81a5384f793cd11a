// An agent on virtual time; the aggregator's side is data.
#pragma once
#include <string>
#include <vector>

#include "client/agent/agent.h"

namespace hansa::client::testing {

constexpr std::uint32_t lease_ms = 30'000;
constexpr std::uint32_t chunk_bytes = 100;

// Completes a task of a secure sum for the client "a": the digests of its inputs, and its seed.
void bind_work(messages::TrainTask& task);

class Harness {
 public:
  explicit Harness(const AgentConfig& config = small_config());
  static AgentConfig small_config();

  void apply(const Event& event);
  void receive(SessionId session, const messages::ToClient& message, std::uint64_t bulk_bytes = 0);
  void receive(const messages::ToClient& message, std::uint64_t bulk_bytes = 0) {
    receive(session, message, bulk_bytes);
  }
  // Advances the time, with a tick whenever the agent needs one. Sends the agent no messages.
  void advance(Duration duration);

  void reach_linking();
  void reach_greeting();
  void go_online();  // a session with a new number
  [[nodiscard]] messages::TrainTask make_task(std::uint64_t number = 1) const;
  // Online, with this task fetched and in training.
  void train(const messages::TrainTask& task);
  // The training of the task ends with an update of 400 bytes.
  void end_training(const messages::TrainTask& task);

  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& effect : effects)
      if (const auto* found = std::get_if<T>(&effect)) out.push_back(*found);
    return out;
  }
  template <class T>
  [[nodiscard]] std::vector<T> sent() const {
    std::vector<T> out;
    for (const auto& send : all<Send>())
      if (const auto* message = std::get_if<T>(&send.message)) out.push_back(*message);
    return out;
  }
  void forget() { effects.clear(); }

  Instant now;
  Agent agent;
  SessionId session;  // of the last Welcome
  std::uint64_t sessions = 70;
  std::vector<Effect> effects;  // since the last forget()
};

}  // namespace hansa::client::testing
