// Buffered aggregation: the buffer of the next model is filled. Each client that is free gets a task on the newest model,
// and complete updates are counted until there are K of them. Then the model is made (storing.h).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/coordinator/internal/buffered_stage.h"
#include "server/coordinator/internal/client_wait.h"

namespace hansa::server {

class Filling final : public BufferedStage {
 public:
  // Begins the buffer of `state`, which is empty, and ends the tasks that have become too old for it.
  Filling(Shared& shared, std::unique_ptr<BufferedState> state, Turn& turn);

  [[nodiscard]] Phase phase() const override { return Phase::in_round; }
  Verdict on_checked(const UpdateChecked& event, Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;

 private:
  void end_stale_tasks(Turn& turn);
  // Takes waiting updates into the buffer, in the order in which they were complete, as far as it has room.
  void take_waiting(Turn& turn);
  // Gives tasks to clients that are free. Returns the end of the federation if too few clients are there for too long, or
  // if nothing has come of too many tasks.
  [[nodiscard]] std::unique_ptr<Stage> give_tasks(Turn& turn);
  [[nodiscard]] std::vector<std::string> free_clients(const std::vector<std::string>& eligible,
                                                      Instant now) const;
  [[nodiscard]] std::unique_ptr<Stage> give_up_in_vain(std::size_t clients, Turn& turn) const;

  std::uint32_t checking_ = 0;
  std::optional<Instant> short_since_;  // since when too few clients can take part
  ClientWait wait_;
};

}  // namespace hansa::server
