// The clients of buffered aggregation, and the task that each of them works on.
//
//   free -assign-> training -complete-> waiting -check-> checking -checked-> free
//   training <-lost, returned-> absent;  training, absent -end-> free
//
// A task is made for the newest model and keeps it while newer ones are made. A client has one task at a time. Its tasks
// on the same model are numbered, so that no two of them are the same work. Every state x event pair: docs/round.md. A
// pure state machine: no I/O, clock or thread.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/identifiers.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "server/coordinator/config.h"
#include "server/coordinator/task_id.h"

namespace hansa::server {

enum class TraineeState : std::uint8_t {
  free,  // has no task
  training,  // has a task, and a session that is not known to have ended
  absent,  // has a task; its session ended, and it may come back
  waiting,  // its update is complete and waits for a buffer
  checking,  // its update is being verified
};
[[nodiscard]] const char* name(TraineeState state) noexcept;

struct Trainee {
  TraineeState state = TraineeState::free;
  // The task, unless it is free.
  Work work;  // round: the one after the task's model; opened: the task's number on this model
  TaskId task;
  std::uint64_t seed = 0;  // of its training
  std::shared_ptr<const PublishedModel> model;  // what the client trains on
  std::uint64_t reported = 0;  // the client's examples when the task was made
  Instant asked_at;  // when the task was sent first
  Instant task_sent_at;  // when it was sent last
  Instant deadline;
  std::uint64_t pulled = 0;  // bytes
  std::optional<Instant> moved_at;  // last progress: a Pull, or a chunk of the update
  bool has_model = false;  // as far as is known: it has pulled the last bytes of the model
  messages::Offer offer;  // the last one
  double seconds = 0;  // from the task to the last byte of the update
  std::uint32_t staleness = 0;  // when the update was complete

  // Of all of its tasks.
  RoundId numbered;  // the round of its last task
  std::uint32_t next_number = 0;  // of a further task of that round
  std::optional<TaskId> counted;  // its last update that counted: its receipt may have been lost
  std::uint32_t failures = 0;  // tasks in a row that came to nothing
  Instant ask_after{};  // no task before
  std::set<std::string, std::less<>> told;  // what was logged of it, which is logged once

  [[nodiscard]] bool is_free() const { return state == TraineeState::free; }
  // Its update may still come.
  [[nodiscard]] bool is_expected() const {
    return state == TraineeState::training || state == TraineeState::absent;
  }
};

class Trainees {
 public:
  using Map = std::map<std::string, Trainee, std::less<>>;

  struct Task {
    RoundId round;  // the one after the model
    std::shared_ptr<const PublishedModel> model;
    std::uint64_t reported = 0;
    Instant now;
    Instant deadline;
  };
  // Gives a free client a task.
  Trainee& assign(const OperatorSettings& settings, std::string_view run, const std::string& client,
                  const Task& task);
  // Each returns false, and changes nothing, if the event is not valid in the client's state.
  bool lost(Trainee& trainee) { return move(trainee, TraineeState::training, TraineeState::absent); }
  bool returned(Trainee& trainee) { return move(trainee, TraineeState::absent, TraineeState::training); }
  // The last byte of its update has arrived. staleness: models that were made since its task.
  bool complete(Trainee& trainee, std::uint32_t staleness);
  bool check(Trainee& trainee) { return move(trainee, TraineeState::waiting, TraineeState::checking); }
  bool checked(Trainee& trainee) { return move(trainee, TraineeState::checking, TraineeState::free); }
  // The task ends without an update.
  bool end(Trainee& trainee);

  // Null if the client never had a task.
  [[nodiscard]] Trainee* find(std::string_view client);
  [[nodiscard]] const Trainee* find(std::string_view client) const;
  [[nodiscard]] Map& all() { return all_; }
  [[nodiscard]] const Map& all() const { return all_; }
  [[nodiscard]] std::uint32_t count(TraineeState state) const;

 private:
  static bool move(Trainee& trainee, TraineeState from, TraineeState to);
  Map all_;  // as many as clients are admitted
};

}  // namespace hansa::server
