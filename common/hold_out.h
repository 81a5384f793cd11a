// Evaluation on the clients: each of them holds out a fraction of its examples, on which models are measured and never
// trained. learning/hold_out.h chooses the examples, common/held_out_metrics.h names the results.
#pragma once
#include <cstdint>

namespace hansa {

// Above it a client refuses a task: most of a device's data is for training.
inline constexpr double hold_out_fraction_max = 0.5;

enum class Measure : std::uint8_t { no, yes };

// The part of a task that says so. The fraction is in every task, also of rounds in which nothing is measured, because
// an example that was trained on once says nothing about a model any more.
struct HoldOut {
  double fraction = 0;  // above 0, at most hold_out_fraction_max
  Measure measure = Measure::no;  // whether the task's model is measured before it is trained
  friend bool operator==(const HoldOut&, const HoldOut&) = default;
};

}  // namespace hansa
