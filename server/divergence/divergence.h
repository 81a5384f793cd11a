// Notices that a training diverges: its loss or the norm of its updates jumps, or is no longer a number.
//
// A value jumps if it is above both `ratio` medians of the last rounds and the median plus 6 robust standard deviations
// (1.4826 times the median absolute deviation: Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation",
// JASA 1993). The second bound lets a loss near zero fluctuate. Pure: no clock, no I/O. One thread.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/identifiers.h"

namespace hansa::server {

enum class DivergenceAction : std::uint8_t { off, warn, stop };

struct DivergenceConfig {
  DivergenceAction action = DivergenceAction::warn;
  double loss_ratio = 3;  // above 1
  double norm_ratio = 5;  // above 1
  std::uint32_t window = 10;  // rounds with which a round is compared: at least 3
  friend bool operator==(const DivergenceConfig&, const DivergenceConfig&) = default;
};

// What a round is judged by. Empty: not known.
struct RoundMeasures {
  RoundId round;
  std::optional<double> loss;
  std::optional<double> update_norm;
  std::optional<double> held_out_loss = {};  // of the model that the round began with, on the clients
  bool loss_is_robust = true;  // no single client can raise the losses
};

class Divergence {
 public:
  explicit Divergence(const DivergenceConfig& config) : config_(config) {}

  // Rounds come in order. Returns what is wrong with this one, for people: "the training loss is 8.3e+09, 40 times the
  // median of the last 10 rounds (2.1e+08)". Never with DivergenceAction::off, and not before there are 2 rounds to
  // compare with.
  [[nodiscard]] std::vector<std::string> observe(const RoundMeasures& measures);
  // Whether something is wrong with the last round that no single client can have made up.
  [[nodiscard]] bool is_certain() const { return is_certain_; }

 private:
  class Series {
   public:
    // Adds the value, if it is finite. Returns what is wrong with it; empty: nothing.
    [[nodiscard]] std::string observe(double value, const char* name, double ratio, std::size_t window);

   private:
    std::deque<double> values_;  // the last `window` ones
  };

  DivergenceConfig config_;
  bool is_certain_ = false;
  Series losses_;
  Series norms_;
  Series held_out_losses_;
};

}  // namespace hansa::server
