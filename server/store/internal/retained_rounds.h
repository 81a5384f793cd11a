// What a run with a retention still holds, and what of it is surplus: pure, for both stores.
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

// Rounds whose vectors, and rounds whose published delta, go.
struct Surplus {
  std::vector<RoundId> models;
  std::vector<RoundId> deltas;
  [[nodiscard]] bool empty() const { return models.empty() && deltas.empty(); }
};
// What no round names any more.
struct Unnamed {
  std::vector<Digest> vectors;
  std::vector<Digest> deltas;
};

class RetainedRounds {
 public:
  explicit RetainedRounds(Retention retention) : retention_(std::move(retention)) {}

  [[nodiscard]] bool keeps_all() const { return retention_.keep == Retention::Keep::all; }
  // Every 32nd round, so that the deltas before it can go; a delta takes an eighth of a model or less, mostly.
  [[nodiscard]] bool wants_published_vector(RoundId round) const {
    return !keeps_all() && round.value % 32 == 0;
  }
  // The mean that counts, if metrics have it.
  [[nodiscard]] std::optional<double> score_of(const Metrics& metrics) const;

  void begin(const RunIdentity& identity);
  // Rounds come in order.
  void add(HeldRound round);
  // Undoes the last add(), whose commit failed.
  void withdraw(RoundId round);
  // Returns what it was before.
  std::optional<double> set_score(RoundId round, std::optional<double> score);

  [[nodiscard]] Surplus surplus() const;
  Unnamed remove(const Surplus& surplus);

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
