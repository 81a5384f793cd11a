// The federation is over, or the aggregator stops: all clients are dismissed, also those that send Hello later.
//
// When all rounds are done, clients may still pull the last model. A client that has what it wants says Bye.
#pragma once
#include <map>
#include <string>

#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Concluded final : public Stage {
 public:
  // Dismisses all clients, drops their updates, and emits Finish.
  Concluded(Shared& shared, Finish finish, Turn& turn);

  [[nodiscard]] Phase phase() const override { return Phase::finished; }
  Reply on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) override;
  void on_session_opened(const SessionOpened& opened, Turn& turn) override { dismiss(opened.client, turn); }
  [[nodiscard]] bool is_awaiting_clients(Instant now) const override;
  Verdict on_stop(Turn&) override { return Verdict::discarded; }
  [[nodiscard]] std::unique_ptr<Stage> next(Turn&) override { return nullptr; }

 private:
  void dismiss(const std::string& client, Turn& turn) const;

  // A client that neither pulls nor leaves is not waited for any longer.
  static constexpr Duration stall = std::chrono::seconds(30);

  Finish::Why why_;
  Instant moved_at_;  // the last Pull of bytes that a client needs
  std::map<std::string, std::uint64_t, std::less<>> pulled_;  // bytes of the last model, by client
};

}  // namespace hansa::server
