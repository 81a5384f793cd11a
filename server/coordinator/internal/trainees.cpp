#include "server/coordinator/internal/trainees.h"

#include <algorithm>
#include <cassert>

namespace hansa::server {

const char* name(TraineeState state) noexcept {
  switch (state) {
    case TraineeState::free: return "free";
    case TraineeState::training: return "training";
    case TraineeState::absent: return "absent";
    case TraineeState::waiting: return "waiting";
    case TraineeState::checking: return "checking";
  }
  return "";
}

Trainee& Trainees::assign(const OperatorSettings& settings, std::string_view run, const std::string& client,
                          const Task& task) {
  Trainee& t = all_[client];
  assert(t.is_free());
  if (t.numbered != task.round) t.next_number = 0;
  t.numbered = task.round;
  t.work = Work{task.round, t.next_number++};
  t.state = TraineeState::training;
  t.task = make_task_id(settings.seed, run, t.work, client);
  t.seed = messages::training_seed(round_seed(settings.seed, t.work), client);
  t.model = task.model;
  t.reported = task.reported;
  t.asked_at = t.task_sent_at = task.now;
  t.deadline = task.deadline;
  t.pulled = 0;
  t.moved_at.reset();
  t.has_model = t.work.opened > 0;  // it has trained on it before
  t.offer = {};
  t.seconds = 0;
  t.staleness = 0;
  return t;
}

bool Trainees::move(Trainee& trainee, TraineeState from, TraineeState to) {
  if (trainee.state != from) return false;
  trainee.state = to;
  if (trainee.is_free()) trainee.model.reset();
  return true;
}

bool Trainees::complete(Trainee& trainee, std::uint32_t staleness) {
  if (!trainee.is_expected()) return false;
  trainee.state = TraineeState::waiting;
  trainee.staleness = staleness;
  return true;
}

bool Trainees::end(Trainee& trainee) {
  if (!trainee.is_expected()) return false;
  trainee.state = TraineeState::free;
  trainee.model.reset();
  return true;
}

Trainee* Trainees::find(std::string_view client) {
  const auto found = all_.find(client);
  return found == all_.end() ? nullptr : &found->second;
}

const Trainee* Trainees::find(std::string_view client) const {
  const auto found = all_.find(client);
  return found == all_.end() ? nullptr : &found->second;
}

std::uint32_t Trainees::count(TraineeState state) const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(all_, [&](const auto& entry) { return entry.second.state == state; }));
}

}  // namespace hansa::server
