// The federation is over, or the aggregator stops: all clients are dismissed, also those that send Hello later.
#pragma once
#include <string>

#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Concluded final : public Stage {
 public:
  // Dismisses all clients, drops their updates, and emits Finish.
  Concluded(Shared& shared, Finish finish, Turn& turn);

  [[nodiscard]] Phase phase() const override { return Phase::finished; }
  void on_session_opened(const SessionOpened& opened, Turn& turn) override { dismiss(opened.client, turn); }
  Verdict on_stop(Turn&) override { return Verdict::discarded; }
  [[nodiscard]] std::unique_ptr<Stage> next(Turn&) override { return nullptr; }

 private:
  void dismiss(const std::string& client, Turn& turn) const;

  Finish::Why why_;
};

}  // namespace hansa::server
