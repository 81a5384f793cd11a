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

// How gradients become steps. sgd: Sutskever et al. 2013, as torch.optim.SGD without dampening. adam: Kingma and Ba 2015,
// algorithm 1. adamw: Loshchilov and Hutter 2019, algorithm 2, where weights decay apart from the gradient.
enum class LocalOptimizer : std::uint8_t { sgd, adam, adamw };

// Mini-batch training as in McMahan et al. 2017, algorithm 1: `epochs` is E, `batch_size` is B.
struct TrainingConfig {
  std::uint32_t epochs = 1;  // passes over the local data: 1 to 1,000
  std::uint32_t batch_size = 32;  // examples of a batch: 1 to 65,536
  double learning_rate = 0.05;  // above 0
  double momentum = 0.0;  // of sgd: 0 to below 1; the buffer starts at zero in each task
  double weight_decay = 0.0;  // at least 0; of sgd and adam the L2 coefficient, of adamw the decay
  std::uint32_t steps_max = 0;  // maximum number of optimiser steps; 0: no limit
  // Patterns (name_pattern.h) of personal parameters and buffers, as in FedPer (Arivazhagan et al. 2019) and FedBN (Li
  // et al. 2021): the client trains and keeps them; they are not in the layout and are never sent.
  std::vector<std::string> personal = {};
  bool nesterov = false;  // of sgd with momentum: steps along momentum * velocity + gradient
  double clip_norm = 0.0;  // largest Euclidean norm of a step's whole gradient; 0: not clipped
  double clip_value = 0.0;  // largest magnitude of a value of the gradient; 0: not clipped
  std::uint32_t accumulate =
      1;  // parts of a batch whose gradients are computed one after the other: 1 to 65,536
  bool bfloat16 = false;  // forward passes in bfloat16 where LibTorch has it (autocast)
  LocalOptimizer optimizer = LocalOptimizer::sgd;  // chosen by the method
  double beta1 = 0.9, beta2 = 0.999;  // of adam and adamw: 0 to below 1
  double epsilon = 1e-8;  // of adam and adamw: above 0
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
