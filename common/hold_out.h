// Evaluation on the clients: each of them holds out a fraction of its examples, on which models are measured and never
// trained. learning/hold_out.h chooses the examples, common/held_out_metrics.h names the results.
#pragma once
#include <cmath>
#include <cstdint>

namespace hansa {

// Above it a client refuses a task: most of a device's data is for training.
inline constexpr double hold_out_fraction_max = 0.5;
// A fraction is a multiple of 1/20. With any fraction an aggregator could make one example of the whole federation the
// only one that is held out.
inline constexpr double hold_out_steps = 20;
[[nodiscard]] inline bool is_hold_out_fraction(double fraction) {
  const double steps = std::round(fraction * hold_out_steps);
  return steps >= 1 && fraction <= hold_out_fraction_max &&
         std::abs(fraction * hold_out_steps - steps) < 1e-9;
}

enum class Measure : std::uint8_t { no, yes };

// The part of a task that says so. The fraction is in every task, also of rounds in which nothing is measured, because
// an example that was trained on once says nothing about a model any more.
struct HoldOut {
  double fraction = 0;  // above 0, at most hold_out_fraction_max
  Measure measure = Measure::no;  // whether the task's model is measured before it is trained
  friend bool operator==(const HoldOut&, const HoldOut&) = default;
};

}  // namespace hansa
