// What the phases of buffered aggregation have in common: clients train, fetch models, and send updates while a buffer is
// filled (filling.h) and while a model is made of a full one (storing.h).
//
// An update that is complete waits until a buffer takes it; nothing waits for a client.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "server/coordinator/internal/buffer.h"
#include "server/coordinator/internal/served_models.h"
#include "server/coordinator/internal/stage.h"
#include "server/coordinator/internal/trainees.h"

namespace hansa::server {

// What the phases pass on.
struct BufferedState {
  explicit BufferedState(RoundId round) : buffer(round) {}

  Trainees trainees;
  Buffer buffer;  // of the next model
  std::deque<std::string> complete;  // clients whose update waits, in the order in which they were complete
  std::deque<double> norms;  // of the last counted updates, bounded
  ServedModels served;
  std::uint64_t selections = 0;  // of clients, for their seeds
};

class BufferedStage : public Stage {
 public:
  BufferedStage(Shared& shared, std::unique_ptr<BufferedState> state, Instant began)
      : Stage(shared, began), state_(std::move(state)) {}

  Reply on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) override;
  Reply on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) override;
  Reply on_chunk(const std::string& client, const messages::UpdateChunk& chunk, std::uint64_t bulk_bytes,
                 Turn& turn) override;
  Reply on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) override;
  void on_current_task(const std::string& client, TaskId current, Turn& turn) override;
  void on_session_opened(const SessionOpened& opened, Turn& turn) override;
  void on_session_ended(const std::string& client, Turn& turn) override;
  void on_left(const std::string& client, Turn& turn) override;
  void on_removed(const std::string& client, const std::string& why, Turn& turn) override;
  void on_tick(Turn& turn) override;
  // Deadlines are looked at once a second, with each tick.
  [[nodiscard]] Instant next_tick(Instant) const override { return shared_.uploads.next_tick(); }
  void fill(Progress& progress) const override;

 protected:
  [[nodiscard]] Trainees& trainees() { return state_->trainees; }
  void send_task(const std::string& client, Trainee& trainee, Turn& turn);
  // Ends the task of a client without an update, and drops what has arrived of it.
  void end_task(const std::string& client, Trainee& trainee, Outcome outcome, const std::string& reason,
                Turn& turn);
  // The same for a client that does not know it yet: it is sent the reason.
  void cancel(const std::string& client, Trainee& trainee, Outcome outcome, const std::string& reason,
              Turn& turn);
  // Refuses the update of a task, whose client asked for it. Its next task waits a moment.
  Verdict reject(const std::string& client, Trainee& trainee, const std::string& reason, Turn& turn);
  // A client's task came to nothing, and that is its fault.
  void note_failure(const std::string& client, Trainee& trainee, const std::string& what, Turn& turn);
  void cancel_all(const std::string& reason, Turn& turn);
  // Whether the client fetches its model at the moment.
  [[nodiscard]] static bool is_fetching(const Trainee& trainee, Duration stall, Instant now);

  std::unique_ptr<BufferedState> state_;
  // A client may have become free, or able to take part.
  bool look_for_clients_ = true;

 private:
  [[nodiscard]] messages::TrainTask make_task(const Trainee& trainee, Instant now) const;
  [[nodiscard]] Result<UpdateTicket> admit(const std::string& client, const Trainee& trainee,
                                           const messages::Offer& offer) const;
  void send_receipt(const std::string& client, const Trainee& trainee, Turn& turn);
  void end_overdue(const std::string& client, Trainee& trainee, Turn& turn);
};

}  // namespace hansa::server
