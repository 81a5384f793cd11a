// The round is sealed, and its sum is being opened: the survivors of a secure sum reveal what unmasks it. A round whose
// updates the aggregator sees passes through at once.
#pragma once
#include <memory>
#include <string>

#include "server/coordinator/internal/after_sum.h"
#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Unmasking final : public Stage {
 public:
  Unmasking(Shared& shared, std::unique_ptr<ActiveRound> round, std::unique_ptr<Exchange> exchange,
            RoundRecord record, AfterSum& after, Turn& turn)
      : Stage(shared, turn.now),
        round_(std::move(round)),
        exchange_(std::move(exchange)),
        record_(std::move(record)),
        after_(after) {}

  [[nodiscard]] Phase phase() const override { return Phase::unmasking; }
  Reply on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) override;
  Reply on_signature(const std::string& client, const messages::SurvivorSignature& signature,
                     Turn& turn) override;
  Reply on_unmask_shares(const std::string& client, const messages::UnmaskShares& shares,
                         Turn& turn) override;
  Verdict on_masks_opened(const MasksOpened& event, Turn& turn) override {
    return exchange_->on_masks_opened(event, turn);
  }
  void on_session_opened(const SessionOpened& opened, Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  [[nodiscard]] Instant next_tick(Instant) const override { return exchange_->next_tick(); }
  void fill(Progress& progress) const override;

 private:
  // Blames and separates those that the opening has shown to be at fault.
  Remedy conclude(Opening& opening, Turn& turn);

  std::unique_ptr<ActiveRound> round_;
  std::unique_ptr<Exchange> exchange_;
  RoundRecord record_;
  AfterSum& after_;
};

}  // namespace hansa::server
