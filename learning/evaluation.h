// Evaluates a model on held-out data: the model's metrics(), or loss and accuracy. Torch-free header.
#pragma once
#include <filesystem>
#include <memory>
#include <span>

#include "common/error.h"
#include "common/training.h"
#include "learning/data/data_config.h"

namespace hansa::learning {

// Keeps the archive and the data open between calls. One thread at a time.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Sums over all examples: "loss" and, for integer targets, "accuracy"; or what metrics() gives.
  // parameters in the archive's layout order; empty: the archived values.
  [[nodiscard]] virtual Result<Metrics> evaluate(std::span<const float> parameters) = 0;
};

// personal: patterns of what has the archived values, and is not in parameters (TrainingConfig::personal).
[[nodiscard]] Result<std::unique_ptr<Evaluator>> make_evaluator(const std::filesystem::path& archive,
                                                                const DataConfig& data, int threads,
                                                                std::span<const std::string> personal = {});

}  // namespace hansa::learning
