// Buffered aggregation with secure aggregation (docs/round.md): groups of K clients, each with a secure sum.
//
// As soon as K clients are ready they form a group on the newest model. Several groups work at the same time, so that a
// slow client holds up its own group only. A sum that can be read waits for its turn; then the shell makes the next model of
// it, by its staleness, while other groups continue. New groups are formed when no opened sum waits, so that their clients
// get the newest model.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/coordinator/internal/client_wait.h"
#include "server/coordinator/internal/group.h"
#include "server/coordinator/internal/group_members.h"
#include "server/coordinator/internal/served_models.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class GroupedStage final : public Stage {
 public:
  GroupedStage(Shared& shared, Turn& turn);

  [[nodiscard]] Phase phase() const override { return commit_ ? Phase::committing : Phase::in_round; }
  Reply on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) override;
  Reply on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) override;
  Reply on_chunk(const std::string& client, const messages::UpdateChunk& chunk, std::uint64_t bulk_bytes,
                 Turn& turn) override;
  Reply on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) override;
  Reply on_advert(const std::string& client, const messages::KeyAdvert& advert, Turn& turn) override;
  Reply on_shares(const std::string& client, const messages::EncryptedShares& shares, Turn& turn) override;
  Reply on_signature(const std::string& client, const messages::SurvivorSignature& signature,
                     Turn& turn) override;
  Reply on_unmask_shares(const std::string& client, const messages::UnmaskShares& shares,
                         Turn& turn) override;
  void on_current_task(const std::string& client, TaskId current, Turn& turn) override;
  void on_session_opened(const SessionOpened& opened, Turn& turn) override;
  void on_session_ended(const std::string& client, Turn& turn) override;
  void on_left(const std::string& client, Turn& turn) override;
  void on_removed(const std::string& client, const std::string& why, Turn& turn) override;
  Verdict on_checked(const UpdateChecked& event, Turn& turn) override;
  Verdict on_masks_opened(const MasksOpened& event, Turn& turn) override;
  Verdict on_committed(const RoundCommitted& event, Turn& turn) override;
  Verdict on_sum_refused(const SumRefused& event, Turn& turn) override;
  void on_tick(Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> next(Turn& turn) override;
  [[nodiscard]] Instant next_tick(Instant now) const override;
  void fill(Progress& progress) const override;

 private:
  // Of a sum of which the shell makes a model.
  struct Commit {
    std::unique_ptr<Group> group;
    RoundRecord record;
    bool is_done = false;
  };

  // Null: the client is in no group, or its group's model is being made.
  [[nodiscard]] Group* group_of(std::string_view client) const;
  void begin_model(Turn& turn);
  // Moves the groups on, and takes those out whose sum can be read or that failed.
  void advance_groups(Turn& turn);
  // Returns the end of the federation if too many groups failed, or null. Not while a model is made, whose commit the
  // federation would not await.
  [[nodiscard]] std::unique_ptr<Stage> end_failed(Turn& turn);
  [[nodiscard]] std::unique_ptr<Stage> end_failed(const Group& group, Turn& turn);
  void begin_commit(Turn& turn);
  void retire_models(Turn& turn);
  // The shell has answered. Returns what follows, or null.
  [[nodiscard]] std::unique_ptr<Stage> end_commit(Turn& turn);
  [[nodiscard]] std::uint32_t staleness(const Group& group) const;
  void cancel_stale_groups(Turn& turn);
  // Cancels the groups for which why(group) returns a reason. It is not their clients' fault.
  template <class Groups, class Why>
  void cancel_if(Groups& groups, Turn& turn, const Why& why);
  void cancel_all(const std::string& reason, Turn& turn);

  // Forms as many groups as possible. Returns the end of the federation, or null.
  [[nodiscard]] std::unique_ptr<Stage> form_groups(Turn& turn);
  [[nodiscard]] std::vector<std::string> free_clients(const std::vector<std::string>& eligible,
                                                      Instant now) const;
  [[nodiscard]] std::unique_ptr<Stage> form(const std::vector<std::string>& members, Turn& turn);
  void pause(const std::vector<std::string>& clients, Turn& turn);

  std::vector<std::unique_ptr<Group>> groups_;  // that work, in the order in which they were formed
  std::deque<std::unique_ptr<Group>> opened_;  // whose sums wait, in the order in which they could be read
  std::deque<std::unique_ptr<Group>> failed_;  // which end when no model is made
  std::optional<Commit> commit_;
  ServedModels served_;
  GroupMembers members_;
  std::uint32_t next_group_ = 0;  // on the newest model
  SumNumber next_sum_ = 1;  // never used twice
  std::uint32_t failures_ = 0;  // of groups, since the last commit
  std::optional<Instant> short_since_;  // since when too few clients can take part
  ClientWait wait_;
  bool look_for_clients_ = true;  // a client may have become ready
  bool dropped_one_ = false;  // which was logged
};

}  // namespace hansa::server
