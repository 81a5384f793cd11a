// A phase of the federation. It owns the data of the phase and decides what the coordinator does with an event. The
// base class treats every event as stale; a phase overrides the handlers of the events that it accepts. A transition
// destroys the old phase.
//
//   Gathering -> Training -> Unmasking -> Committing -> Gathering ... -> Concluded     (selected_rounds.h)
//   Gathering -> Filling -> Storing -> Filling ... -> Concluded                         (buffered_rounds.h)
//   Gathering -> GroupedStage ... -> Concluded                                          (grouped_rounds.h)
//
// In a GroupedStage each group has a phase of its own: Training, then Unmasking.
//
// Every phase x event pair: docs/round.md.
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.h"
#include "common/log_budget.h"
#include "protocols/messages/messages.h"
#include "server/config/rounds.h"
#include "server/coordinator/config.h"
#include "server/coordinator/events.h"
#include "server/coordinator/internal/clients.h"
#include "server/coordinator/internal/conduct.h"
#include "server/coordinator/internal/exchange.h"
#include "server/coordinator/internal/reply.h"
#include "server/coordinator/internal/round_mode.h"
#include "server/coordinator/internal/sessions.h"
#include "server/coordinator/internal/turn.h"
#include "server/coordinator/internal/uploads.h"
#include "server/coordinator/internal/wait_report.h"
#include "server/coordinator/progress.h"
#include "server/selection/cohort_policy.h"
#include "server/selection/contradictions.h"
#include "server/selection/culprit_search.h"
#include "server/selection/drop_rate.h"
#include "server/selection/reliability.h"
#include "server/selection/set_aside.h"

namespace hansa::server {

// The state that all phases share.
struct Shared {
  CoordinatorConfig config;
  RestoredState standing;  // the last committed round and what clients receive
  Clients clients;
  Sessions sessions;
  Uploads uploads;
  std::unique_ptr<CohortPolicy> policy;
  std::unique_ptr<RoundMode> mode;
  std::unique_ptr<ExchangeFactory> exchanges;
  CulpritSearch search;  // for those with which sums are refused
  std::uint32_t opened_sums = 0;  // of the current round, without a commit: task_id.h
  Contradictions contradictions = {};  // of clients that are not in the same cohort if that can be avoided
  DropRate drop_rate = {};  // of selected clients, since the start of this process
  Reliability reliability = Reliability();
  SetAside set_aside = SetAside();  // clients that say themselves that they cannot train
  WaitReport wait_report = {};
  Conduct conduct = {};
  LogBudget log_budget = {};
  std::set<std::string, std::less<>> removed = {};  // clients that the operator removed since the start
  // Attempts at the current round that failed since the last one whose culprits could be left out.
  std::uint32_t attempts_in_vain = 0;
  std::string retry_reason = {};  // why the last attempt that failed was abandoned
  RoundId resumed_at = {};  // the last committed round at the start of this process
  UtcSeconds started_at = {};  // the time of day at which this process began
  UtcSeconds round_started = {};  // ... and at which the first attempt at the current round did
  std::string enough = {};  // why no further round is wanted before the last one; empty: rounds continue
  bool has_gathered = false;  // the first round's wait for clients_expected is over

  // The clients that can take part in a round, sorted: connected, admitted, with data and what the exchange needs. Those
  // that are left out for their faults at the moment are among them, those that are set aside are not.
  [[nodiscard]] std::vector<std::string> eligible(Instant now) const;
  // No further round starts.
  [[nodiscard]] bool all_rounds_done() const {
    return !enough.empty() || has_all_rounds(standing.last_committed, config.settings.rounds);
  }
  // Whether clients may measure the model. Clients help to open one sum of a model with their measurements, because two
  // would show those of single clients. A process that continues a run does not know whether a sum was opened before.
  [[nodiscard]] Measure measure() const {
    const bool may_be_opened =
        opened_sums > 0 || (!config.process.is_first_start && standing.last_committed == resumed_at);
    const bool has_model = !config.settings.integers_max;
    return !has_model || (config.settings.secure_sums && may_be_opened) ? Measure::no : Measure::yes;
  }
  // The time of day that belongs to an event.
  [[nodiscard]] UtcSeconds time_of_day(Instant now) const {
    if (config.process.time_of_day) return config.process.time_of_day();
    return {static_cast<std::uint64_t>(now.time_since_epoch() / std::chrono::seconds(1))};
  }
  // "all 20 rounds are done", or what was reached before. Requires all_rounds_done().
  [[nodiscard]] std::string why_done() const {
    return enough.empty() ? "all " + std::to_string(config.settings.rounds) + " rounds are done" : enough;
  }
  // ... and the aggregator ends with it.
  [[nodiscard]] bool is_over() const {
    return all_rounds_done() && config.settings.after_last_round != AfterLastRound::stay;
  }
  // The next round, outside of a round; empty: there is none.
  [[nodiscard]] std::optional<RoundId> current_round() const {
    if (all_rounds_done()) return std::nullopt;
    return RoundId(standing.last_committed.value + 1);
  }
};

class Stage {
 public:
  Stage(Shared& shared, Instant began) : shared_(shared), began_(began) {}
  virtual ~Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  [[nodiscard]] virtual Phase phase() const = 0;
  [[nodiscard]] Instant began() const { return began_; }

  // Messages of a client's open session.
  virtual Reply on_pull(const std::string& client, const messages::Pull& pull, Turn& turn);
  virtual Reply on_offer(const std::string& client, const messages::Offer& offer, Turn& turn);
  virtual Reply on_chunk(const std::string&, const messages::UpdateChunk&, std::uint64_t /*bulk_bytes*/,
                         Turn&) {
    return Verdict::discarded;
  }
  virtual Reply on_decline(const std::string&, const messages::Decline&, Turn&) { return Verdict::discarded; }
  virtual Reply on_advert(const std::string&, const messages::KeyAdvert&, Turn&) {
    return Verdict::discarded;
  }
  virtual Reply on_shares(const std::string&, const messages::EncryptedShares&, Turn&) {
    return Verdict::discarded;
  }
  virtual Reply on_signature(const std::string&, const messages::SurvivorSignature&, Turn&) {
    return Verdict::discarded;
  }
  virtual Reply on_unmask_shares(const std::string&, const messages::UnmaskShares&, Turn&) {
    return Verdict::discarded;
  }
  // A Ping or Pong: the client says which task it works on.
  virtual void on_current_task(const std::string& /*client*/, TaskId /*current*/, Turn&) {}

  virtual void on_session_opened(const SessionOpened&, Turn&) {}
  virtual void on_session_ended(const std::string& /*client*/, Turn&) {}
  // The client said Bye; its session ends next.
  virtual void on_left(const std::string& /*client*/, Turn&) {}
  // The client may not take part any more; its session has ended.
  virtual void on_removed(const std::string& /*client*/, const std::string& /*why*/, Turn&) {}

  virtual Verdict on_checked(const UpdateChecked&, Turn&) { return Verdict::discarded; }
  virtual Verdict on_masks_opened(const MasksOpened&, Turn&) { return Verdict::discarded; }
  virtual Verdict on_committed(const RoundCommitted&, Turn&) { return Verdict::discarded; }
  virtual Verdict on_sum_refused(const SumRefused&, Turn&) { return Verdict::discarded; }
  virtual void on_tick(Turn&) {}
  virtual Verdict on_stop(Turn&) {
    stop_asked_ = true;
    return Verdict::accepted;
  }

  // Called after each event until it returns null. Returns the next phase if this one is over.
  [[nodiscard]] virtual std::unique_ptr<Stage> next(Turn& turn) = 0;
  // The time at which a tick is needed; Instant::max() if none is needed. now: the time of the last event.
  [[nodiscard]] virtual Instant next_tick(Instant /*now*/) const { return Instant::max(); }
  virtual void fill(Progress&) const {}
  // Clients that were dismissed still fetch the last model.
  [[nodiscard]] virtual bool is_awaiting_clients(Instant /*now*/) const { return false; }

 protected:
  // The phase that a stop leads to.
  [[nodiscard]] std::unique_ptr<Stage> stopped(Turn& turn) const;

  Shared& shared_;
  const Instant began_;
  bool stop_asked_ = false;
};

}  // namespace hansa::server
