// The shell computes the next model from the sum and makes it durable. Nothing else starts before that is done, and a
// stop waits for it.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Committing final : public Stage {
 public:
  // Emits the commit.
  Committing(Shared& shared, std::unique_ptr<ActiveRound> round, std::unique_ptr<Exchange> exchange,
             CommitRound commit, Turn& turn);

  [[nodiscard]] Phase phase() const override { return Phase::committing; }
  Verdict on_committed(const RoundCommitted& event, Turn& turn) override;
  Verdict on_sum_refused(const SumRefused& event, Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  void fill(Progress& progress) const override;

 private:
  std::unique_ptr<ActiveRound> round_;
  std::unique_ptr<Exchange> exchange_;
  RoundRecord record_;  // for the clients' history
  bool is_committed_ = false;
  std::optional<std::string> refused_;  // why the opened sum was refused
};

}  // namespace hansa::server
