// Buffered aggregation: the shell computes the next model from a full buffer and makes it durable. Meanwhile clients train,
// and fetch the models of their tasks; an update that is complete waits for the next buffer. Clients that are free get
// their tasks afterwards, on the new model.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "server/coordinator/internal/buffered_stage.h"

namespace hansa::server {

class Storing final : public BufferedStage {
 public:
  // The buffer of `state` is full, and was filled in `took`. Emits the commit, and begins the next buffer's record.
  Storing(Shared& shared, std::unique_ptr<BufferedState> state, Duration took, Turn& turn);

  [[nodiscard]] Phase phase() const override { return Phase::committing; }
  Verdict on_committed(const RoundCommitted& event, Turn& turn) override;
  Verdict on_sum_refused(const SumRefused& event, Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  void fill(Progress& progress) const override;

 private:
  // Decides which models are served in addition to the new one, and ends the tasks of the clients that fetch others.
  void retire_models(Turn& turn);

  RoundRecord record_;  // for the clients' history
  bool is_committed_ = false;
  std::optional<std::string> refused_;
};

}  // namespace hansa::server
