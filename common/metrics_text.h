// Metrics as one line of text for people.
#pragma once
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "common/training.h"

namespace hansa {

// What clients report of the examples that a training saw for the first time: a number, of which the total is of interest.
inline constexpr std::string_view new_examples_metric = "new_examples";

// The mean with four decimals; the total of new_examples_metric. "-" if it covers no example.
[[nodiscard]] std::string mean_text(const Metric& metric);
// The same for the metric with this name; "-" if there is none.
[[nodiscard]] std::string mean_text(const Metrics& metrics, std::string_view name);

inline constexpr std::size_t all_metrics = std::numeric_limits<std::size_t>::max();
// The first metrics_max metrics that have a mean, in the model's order: "accuracy 0.8123, loss 0.5120". Without new examples
// that are none.
[[nodiscard]] std::string means_text(const Metrics& metrics, std::size_t metrics_max = 6);

}  // namespace hansa
