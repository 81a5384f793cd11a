#include "client/agent/task_conversation.h"

#include <utility>

namespace hansa::client {

using round::TaskState;

bool TaskConversation::continues(const messages::TrainTask& task) const {
  return task_ && task_->same_work(task) && task_->state() != TaskState::declined &&
         task_->state() != TaskState::dropped;
}

void TaskConversation::await(const messages::TrainTask& task, std::vector<Effect>& effects) {
  awaited_ = std::make_shared<const messages::TrainTask>(task);
  effects.emplace_back(FindArchive{task.archive});
}

void TaskConversation::begin(const ArchiveLookedUp& found, std::uint32_t chunk_bytes) {
  auto task = std::exchange(awaited_, nullptr);
  const round::Fetched before = task_ ? task_->fetched() : round::Fetched{};
  task_.emplace(std::move(task), found.archive, chunk_bytes, found.held, before);
}

void TaskConversation::apply(const round::TaskEvent& event, Session& session, Instant now,
                             std::vector<Effect>& effects) {
  if (!task_) return;
  std::vector<round::TaskEffect> task_effects;
  (void)task_->apply(event, now, task_effects);
  struct Translate {
    const std::shared_ptr<const messages::TrainTask>& task;
    bool confirmed;
    Session& session;
    Instant now;
    std::vector<Effect>& effects;
    void operator()(round::SendMessage& e) const {
      if (confirmed) session.say(std::move(e.message), now, effects);
    }
    void operator()(round::SendUpdateRange& e) const {
      if (confirmed)
        session.say(SendUpdateRange{{}, task->task, e.offset, e.bytes, task->secure.has_value()}, now,
                    effects);
    }
    void operator()(round::KeepChunk& e) const { effects.emplace_back(KeepChunk{task, e.blob, e.offset}); }
    void operator()(round::VerifyBlob& e) const { effects.emplace_back(VerifyBlob{task, e.blob}); }
    void operator()(round::StartTraining&) const { effects.emplace_back(StartTraining{task}); }
    void operator()(round::StopTraining&) const { effects.emplace_back(StopTraining{}); }
  };
  for (auto& effect : task_effects)
    std::visit(Translate{task_->shared_task(), confirmed_, session, now, effects}, effect);
}

bool TaskConversation::is_training() const { return task_ && task_->state() == TaskState::training; }

bool TaskConversation::is_fetching() const {
  return task_ &&
         (task_->state() == TaskState::fetching_archive || task_->state() == TaskState::fetching_inputs);
}

Work TaskConversation::work() const {
  if (!task_ || !confirmed_) return {};
  switch (task_->state()) {
    case TaskState::fetching_archive:
    case TaskState::fetching_inputs:
    case TaskState::offering:
    case TaskState::uploading: return {task_->task().task, Activity::transferring};
    case TaskState::training: return {task_->task().task, Activity::training};
    case TaskState::counted:
    case TaskState::declined:
    case TaskState::dropped: return {};
  }
  return {};
}

}  // namespace hansa::client
