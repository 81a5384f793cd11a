// The training options of a task and the metrics that a client reports: plain values, sent in messages and passed to
// the trainer unchanged.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hansa {

// Mini-batch SGD as in McMahan et al. 2017, algorithm 1: `epochs` is E, `batch_size` is B.
struct TrainingConfig {
  std::uint32_t epochs = 1;  // passes over the local data: 1 to 1,000
  std::uint32_t batch_size = 32;  // examples per optimiser step: 1 to 65,536
  double learning_rate = 0.05;  // above 0
  double momentum = 0.0;  // 0 to below 1; the buffer starts at zero in each task
  double weight_decay = 0.0;  // L2 coefficient, at least 0
  std::uint32_t steps_max = 0;  // maximum number of optimiser steps; 0: no limit
  // Patterns (name_pattern.h) of personal parameters and buffers, as in FedPer (Arivazhagan et al. 2019) and FedBN (Li
  // et al. 2021): the client trains and keeps them; they are not in the layout and are never sent.
  std::vector<std::string> personal = {};
  friend bool operator==(const TrainingConfig&, const TrainingConfig&) = default;
};

inline constexpr std::size_t personal_max = 64;  // patterns in a task
inline constexpr std::size_t personal_bytes_max = 64;  // of a pattern

// A sum over examples and the number of examples in it; the mean is sum / count. Sums and counts of different clients
// may be added.
struct Metric {
  std::string name;  // "loss", "accuracy", or what the model's metrics() returns
  double sum = 0;
  double count = 0;
  friend bool operator==(const Metric&, const Metric&) = default;
};
using Metrics = std::vector<Metric>;

// The mean of the metric with this name; empty if there is none or it has no examples.
[[nodiscard]] inline std::optional<double> mean_of(const Metrics& metrics, std::string_view name) {
  for (const auto& m : metrics)
    if (m.name == name && m.count > 0) return m.sum / m.count;
  return {};
}

}  // namespace hansa
