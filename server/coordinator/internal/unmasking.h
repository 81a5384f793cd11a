// The round is sealed, and its sum is being opened: the survivors of a secure sum reveal what unmasks it. A round whose
// updates the aggregator sees passes through at once.
#pragma once
#include <memory>
#include <string>

#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Unmasking final : public Stage {
 public:
  Unmasking(Shared& shared, std::unique_ptr<ActiveRound> round, std::unique_ptr<Exchange> exchange,
            RoundRecord record, Turn& turn)
      : Stage(shared, turn.now),
        round_(std::move(round)),
        exchange_(std::move(exchange)),
        record_(std::move(record)) {}

  [[nodiscard]] Phase phase() const override { return Phase::unmasking; }
  Reply on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) override;
  Reply on_signature(const std::string& client, const messages::SurvivorSignature& signature,
                     Turn& turn) override;
  Reply on_unmask_shares(const std::string& client, const messages::UnmaskShares& shares,
                         Turn& turn) override;
  void on_session_opened(const SessionOpened& opened, Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  [[nodiscard]] Instant next_tick(Instant) const override { return exchange_->next_tick(); }
  void fill(Progress& progress) const override;

 private:
  std::unique_ptr<ActiveRound> round_;
  std::unique_ptr<Exchange> exchange_;
  RoundRecord record_;
};

}  // namespace hansa::server
