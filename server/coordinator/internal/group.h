// A group of buffered aggregation with secure aggregation: clients that train the same model and make one secure sum.
//
//   working -> opened -> (committed) ;  working -> failed
//
// A group works as the cohort of a round does, with the same phases (training.h, unmasking.h), while other groups do the
// same. When its sum can be read, it waits for its turn to be made a model of (grouped_stage.h). A client is in one group at
// a time, until that group has ended. Pure: no I/O, clock or thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/coordinator/internal/after_sum.h"
#include "server/coordinator/internal/cohort_round.h"
#include "server/coordinator/internal/served_models.h"
#include "server/coordinator/internal/stage.h"
#include "server/coordinator/task_id.h"

namespace hansa::server {

class Group final : private AfterSum {
 public:
  enum class State : std::uint8_t { working, opened, failed };

  // Sends the tasks. cohort: what make_cohort_round() returned for `start`.
  Group(Shared& shared, CohortRound cohort, const CohortStart& start, Turn& turn);

  // The phase that events of its clients concern.
  [[nodiscard]] Stage& stage() { return *stage_; }
  [[nodiscard]] const Stage& stage() const { return *stage_; }
  // Called after each event.
  void advance(Turn& turn);
  [[nodiscard]] State state() const { return state_; }

  [[nodiscard]] bool has(std::string_view client) const;
  // Unless it failed: the round, whose number is that of the model after the group's, and its exchange.
  [[nodiscard]] const ActiveRound& round() const { return *round_; }
  [[nodiscard]] Exchange& exchange() { return *exchange_; }
  [[nodiscard]] const Work& work() const { return work_; }
  // The clients, in the order in which their updates were complete; then those without one, by name.
  [[nodiscard]] std::vector<std::string> by_readiness() const;

  // Opened: what makes a model of its sum. Once.
  [[nodiscard]] CommitRound take_commit() { return std::move(*commit_); }
  [[nodiscard]] const AttemptFailure& failure() const { return *failure_; }
  // The attempt came to nothing after all: its opened sum was refused.
  void refuse(const std::string& reason, Remedy remedy, Turn& turn);
  // Ends its work, which will not be used, and tells its clients.
  void cancel(const std::string& reason, Turn& turn);

  // Whether a client fetches the group's model at the moment.
  [[nodiscard]] bool is_fetching(Duration stall, Instant now) const;
  // Whether the group's clients need this model.
  [[nodiscard]] bool is_of(const ServedModels::Model& model) const { return model_ == model; }
  [[nodiscard]] const ServedModels::Model& model() const { return model_; }
  // The client asks for the group's model, which is not served any more: it leaves the group.
  void leave_without_model(std::string_view client);

 private:
  [[nodiscard]] std::unique_ptr<Stage> opened(Shared& shared, std::unique_ptr<ActiveRound> round,
                                              std::unique_ptr<Exchange> exchange, CommitRound commit,
                                              Turn& turn) override;
  [[nodiscard]] std::unique_ptr<Stage> abandoned(Shared& shared, const ActiveRound& round,
                                                 const AttemptFailure& failure, Turn& turn) override;
  // Takes over what is known of the round, which ends.
  void keep_order();

  Shared& shared_;
  Work work_;
  SumNumber sum_;
  ServedModels::Model model_;
  std::vector<std::string> clients_;  // sorted
  State state_ = State::working;
  // Of the phase, or of kept_ and kept_exchange_; null after a failure.
  ActiveRound* round_;
  Exchange* exchange_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<ActiveRound> kept_;  // once the sum is opened
  std::unique_ptr<Exchange> kept_exchange_;
  std::optional<CommitRound> commit_;
  std::optional<AttemptFailure> failure_;
  std::vector<std::string> order_;  // by_readiness(), after a failure
};

}  // namespace hansa::server
