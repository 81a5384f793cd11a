// How good the model that a round began with is on the examples that its clients hold out: the mean over these examples,
// and how the clients' own means spread.
//
// The numbers are claims of clients: each is bounded before it is used, and one that is not possible is left out. Of a
// round whose updates the aggregator sees, the spread is of the clients' values. Of a secure sum it is read from the
// summed bins (common/held_out_metrics.h), so that the values are intervals. If the summed counters cannot be right, no
// spread is shown; a client can move them within what is possible, because nobody sees whose they are. Pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/held_out_metrics.h"
#include "common/training.h"
#include "server/store/store.h"

namespace hansa::server {

// Over the clients, each counted once. A quartile is the value of the client at ceil(q * clients) in ascending order.
// Means of intervals are those of their ends. Where a value is known exactly, the interval's ends are equal.
struct Spread {
  std::optional<Interval> worst;  // the highest loss, the lowest accuracy; empty for the model's own metrics
  Interval lower_quartile;
  Interval median;
  Interval upper_quartile;
  Interval mean = {};
  // Of the worst tenth of the clients, at least one: what a model gives those that it serves worst (Li et al., ICLR 2020,
  // table 1). Empty for the model's own metrics.
  std::optional<Interval> worst_tenth = {};
  friend bool operator==(const Spread&, const Spread&) = default;
};

struct HeldOutMetric {
  // "loss", "accuracy", "personal loss", "personal accuracy"; the model's own: "auc", "personal auc"
  std::string name;
  Metric total;  // over the examples of all clients; its name is that of common/held_out_metrics.h
  std::uint32_t clients = 0;  // that held examples out
  // The middle one of the clients' means; of two, the worse one (the lower one of an own metric). Of a secure sum the mean over the examples.
  double middle = 0;
  std::optional<Spread> spread = {};
};

struct HeldOut {
  RoundId of_round;  // of the model that was measured: the one before the round; 0: the initial model
  std::vector<HeldOutMetric> metrics;
};

// Empty if nothing was measured in this round.
[[nodiscard]] std::optional<HeldOut> held_out(const RoundRecord& record);

// The totals under their short names ("loss").
[[nodiscard]] Metrics means_of(const HeldOut& measured);
// The middles, each with the count 1, for comparing rounds: a client that claims many examples cannot move them. Where
// devices keep personal parameters, those of the personal models, because the archived values of these parameters are
// never trained. Empty if fewer than reporters_min clients measured, and not all whose updates were counted.
inline constexpr std::uint32_t reporters_min = 3;
[[nodiscard]] Metrics middles_of(const HeldOut& measured, std::uint32_t counted);

// The middle one of the clients' losses, as middles_of chooses them; of two, the lower one; of a secure sum the mean.
// Empty if too few clients measured one.
[[nodiscard]] std::optional<double> typical_held_out_loss(const RoundRecord& record);

// "0.52", or "0.5 to 0.707", "below 0.0313", "from 1024" and "unknown" for an interval.
[[nodiscard]] std::string text_of(const Interval& interval);
// "loss 0.5213 (3 clients: worst 0.9; quartiles 0.4, 0.5, 0.7; mean 0.6), accuracy 0.8 (...)".
[[nodiscard]] std::string text_of(const HeldOut& measured);
// "30 clients: worst 0.9; quartiles 0.4, 0.5, 0.9; mean 0.55, worst tenth 0.85", of a metric with a spread. The worst tenth is
// left out where it is the worst client.
[[nodiscard]] std::string spread_text(const HeldOutMetric& metric);

}  // namespace hansa::server
