// The device agent's conversation about its task.
//
// Holds the task's state machine (protocols/round/client_task.h), which outlives links and sessions, and passes its
// messages to the session once the aggregator has sent the task in it. No I/O, clock or thread; one thread owns it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "client/agent/effects.h"
#include "client/agent/events.h"
#include "client/agent/session.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "protocols/round/client_task.h"

namespace hansa::client {

class TaskConversation {
 public:
  // True if the task asks for the same work as the current one, which then continues.
  [[nodiscard]] bool continues(const messages::TrainTask& task) const;
  // The aggregator sent the current task in this session: from now on the task's messages are sent.
  void confirm() { confirmed_ = true; }
  void session_ended() { confirmed_ = false; }

  // Ends the current task and looks for the archive of this one.
  void await(const messages::TrainTask& task, std::vector<Effect>& effects);
  // The task that waits for ArchiveLookedUp.
  [[nodiscard]] const std::shared_ptr<const messages::TrainTask>& awaited() const { return awaited_; }
  // Makes the awaited task the current one. The caller applies SessionOpened to it next.
  void begin(const ArchiveLookedUp& found, std::uint32_t chunk_bytes);

  // Does nothing without a task.
  void apply(const round::TaskEvent& event, Session& session, Instant now, std::vector<Effect>& effects);

  [[nodiscard]] const std::optional<round::ClientTask>& task() const { return task_; }
  [[nodiscard]] bool is_current(TaskId task) const { return task_ && task_->task().task == task; }
  [[nodiscard]] bool is_training() const;
  [[nodiscard]] bool is_fetching() const;
  [[nodiscard]] Work work() const;

 private:
  std::shared_ptr<const messages::TrainTask> awaited_;
  std::optional<round::ClientTask> task_;
  bool confirmed_ = false;
};

}  // namespace hansa::client
