// Records what a run with a retention holds, and determines the surplus. Pure; both stores use it.
//
// Kept whatever the retention says: the initial model, the last round's model and state, and what a restart needs to
// publish the model again (server/engine/internal/delta_publisher.cpp): the model of the last round that published its
// own, or the last published vector, and all deltas after it. With Retention::Keep::all nothing is recorded and
// nothing is surplus.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "server/retention/retention.h"
#include "server/store/store.h"

namespace hansa::server::internal {

// What the store holds of a committed round.
struct HeldRound {
  RoundId round;
  std::vector<Digest> vectors;  // the model, then the state; empty if they were removed
  std::optional<Published> published;
  std::optional<double> score;  // the mean of the retention's metric, once it is evaluated
};
[[nodiscard]] HeldRound held_of(const RoundRecord& record);

// The rounds whose vectors, and the rounds whose published delta, are to be removed.
struct Surplus {
  std::vector<RoundId> models;
  std::vector<RoundId> deltas;
  [[nodiscard]] bool empty() const { return models.empty() && deltas.empty(); }
};
// The digests that no round names any more.
struct Unnamed {
  std::vector<Digest> vectors;
  std::vector<Digest> deltas;
};

class RetainedRounds {
 public:
  explicit RetainedRounds(Retention retention) : retention_(std::move(retention)) {}

  [[nodiscard]] bool keeps_all() const { return retention_.keep == Retention::Keep::all; }
  // True every 32nd round, so that older deltas can be removed. A delta usually has at most an eighth of the bytes of a
  // model.
  [[nodiscard]] bool wants_published_vector(RoundId round) const {
    return !keeps_all() && round.value % 32 == 0;
  }
  // The mean of the metric by which the retention compares rounds; empty if it compares none or the metric is missing.
  [[nodiscard]] std::optional<double> score_of(const Metrics& metrics) const;

  void begin(const RunIdentity& identity);
  // Called in the order of the rounds.
  void add(HeldRound round);
  // Undoes the last add(), whose commit failed.
  void withdraw(RoundId round);
  // Returns the previous score.
  std::optional<double> set_score(RoundId round, std::optional<double> score);

  [[nodiscard]] Surplus surplus() const;
  Unnamed remove(const Surplus& surplus);
  // Whether a round, or the run's beginning, names the vector or delta.
  [[nodiscard]] bool names(const Digest& digest) const { return names_.contains(digest); }

 private:
  void name_all_of(const HeldRound& round);
  void unname(const Digest& digest, std::vector<Digest>& unnamed);
  [[nodiscard]] RoundId restart_base() const;
  [[nodiscard]] std::vector<RoundId> best() const;

  Retention retention_;
  RoundId last_;
  std::map<RoundId, HeldRound> rounds_;  // those of which something may become surplus
  std::unordered_map<Digest, std::uint32_t> names_;  // how often each vector and each delta is named
};

}  // namespace hansa::server::internal
