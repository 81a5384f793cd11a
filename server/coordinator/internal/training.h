// The cohort trains: tasks are out, models are pulled, updates come in. The phase ends when the round is sealed or has
// failed.
//
// The deadline limits work, not transfers: a round that lacks its quorum at the deadline continues to wait for members
// whose bytes are still arriving, if they would complete the quorum.
#pragma once
#include <memory>
#include <string>

#include "server/coordinator/internal/after_sum.h"
#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Training final : public Stage {
 public:
  // Sends the tasks. No participant has an upload. after outlives the phases of the cohort.
  Training(Shared& shared, std::unique_ptr<ActiveRound> round, std::unique_ptr<Exchange> exchange,
           AfterSum& after, Turn& turn);

  [[nodiscard]] Phase phase() const override { return Phase::in_round; }
  Reply on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) override;
  Reply on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) override;
  Reply on_chunk(const std::string& client, const messages::UpdateChunk& chunk, std::uint64_t bulk_bytes,
                 Turn& turn) override;
  Reply on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) override;
  Reply on_advert(const std::string& client, const messages::KeyAdvert& advert, Turn& turn) override;
  Reply on_shares(const std::string& client, const messages::EncryptedShares& shares, Turn& turn) override;
  void on_current_task(const std::string& client, TaskId current, Turn& turn) override;
  void on_session_opened(const SessionOpened& opened, Turn& turn) override;
  void on_session_ended(const std::string& client, Turn& turn) override;
  void on_left(const std::string& client, Turn& turn) override;
  void on_removed(const std::string& client, const std::string& why, Turn& turn) override;
  Verdict on_checked(const UpdateChecked& event, Turn& turn) override;
  void on_tick(Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  [[nodiscard]] Instant next_tick(Instant now) const override;
  void fill(Progress& progress) const override;

 private:
  [[nodiscard]] messages::TrainTask make_task(const Participant& participant, Instant now) const;
  void send_task(Participant& participant, Turn& turn);
  Verdict reject(Participant& participant, const std::string& reason, Turn& turn);
  // Passes an event to the round, which may end it.
  void apply(const round::Event& event, Turn& turn);
  void wait_for_arriving_updates(Turn& turn);
  void carry_out_drops(Turn& turn);
  // Cancels the tasks whose updates are still expected, and drops the uploads of the cohort.
  void close(Turn& turn);
  [[nodiscard]] std::unique_ptr<Stage> abandon(const std::string& reason, Turn& turn);

  std::unique_ptr<ActiveRound> round_;
  std::unique_ptr<Exchange> exchange_;
  AfterSum& after_;
  Instant last_counted_at_{};
};

// Ends the exchange of a failed attempt. Returns the reason, with that of a member that declined or was rejected.
[[nodiscard]] std::string end_attempt(Shared& shared, const ActiveRound& round, Exchange& exchange,
                                      std::string reason, Turn& turn);

}  // namespace hansa::server
