// The device agent: decides what a device does, as one pure state machine.
//
// Composes four machines, each of which does one job: the session (session.h), the conversation about the task
// (task_conversation.h), the participation in its secure sum (sum_participant.h), and the fetch of the last model
// (last_model.h). The agent passes each event to the
// machine that it concerns, and the requests of one machine to another. No I/O, clock or thread; one thread owns an
// agent.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "client/agent/agent_config.h"
#include "client/agent/effects.h"
#include "client/agent/events.h"
#include "client/agent/last_model.h"
#include "client/agent/session.h"
#include "client/agent/sum_participant.h"
#include "client/agent/task_conversation.h"
#include "common/time.h"

namespace hansa::client {

class Agent {
 public:
  Agent(AgentConfig config, Instant now);

  // Appends the effects, to be carried out in order.
  void apply(const Event& event, Instant now, std::vector<Effect>& effects);

  [[nodiscard]] Instant next_tick() const { return session_.next_tick(work(), now_); }
  [[nodiscard]] LinkState state() const { return session_.state(); }
  // The run that the open session, or the last one, is about.
  [[nodiscard]] const std::string& run() const { return session_.welcome().run; }
  [[nodiscard]] const std::optional<round::ClientTask>& task() const { return task_.task(); }
  // Whether the aggregator waits for nothing from this device: there is no task, or it is over. The update of a secure sum
  // is over when its round is committed.
  [[nodiscard]] bool is_idle() const;
  // Whether the aggregator does not admit this device at present: a task cannot be finished.
  [[nodiscard]] bool is_refused() const { return session_.is_refused(); }
  // For lines of the log: the round of the task until its update is counted, and the state of the connection, or of the
  // task if there is a session; "idle": the session waits for a task.
  [[nodiscard]] std::optional<RoundId> current_round() const;
  [[nodiscard]] std::string_view phase() const;

 private:
  struct Turn;
  struct Apply;
  struct Hear;

  [[nodiscard]] Work work() const {
    return last_model_.is_fetching() ? Work{{}, Activity::transferring} : task_.work();
  }

  [[nodiscard]] bool is_uploading() const;
  // Adds to the lines from `from` on when they were written.
  static void place_log(std::optional<RoundId> round, std::string_view phase, std::size_t from,
                        std::vector<Effect>& effects);

  AgentConfig config_;
  Session session_;
  TaskConversation task_;
  SumParticipant sum_;
  SharedTask held_;  // its inputs are complete, and its training waits for the sum; null: none
  LastModel last_model_;
  TaskId committed_;  // the last task whose update is in a committed model
  Instant now_;  // of the last event
};

}  // namespace hansa::client
