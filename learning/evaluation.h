// Evaluates a model on held-out data with the model's metrics(), or else by loss and accuracy. Torch-free header.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "common/error.h"
#include "common/training.h"
#include "learning/archive_file.h"
#include "learning/data/data_config.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

// Keeps the archive and the data open between calls. One thread at a time.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Returns sums over all examples: "loss" and, for class labels, "accuracy"; or what the model's metrics() returns.
  // `parameters` are in the archive's layout order; empty: the archived values.
  // A model whose metrics() takes other arguments than the data has is evaluated like one without.
  [[nodiscard]] virtual Result<Metrics> evaluate(std::span<const float> parameters) = 0;
  // After evaluate(): why metrics() was not used. Empty: it was, or the model has none.
  [[nodiscard]] virtual std::string warning() const = 0;
};

// Data with scale = "federation" is scaled by `statistics` (common/column_statistics.h), and refused (usage) without them.
// `personal` lists patterns of parameters that keep the archived values and are not in `parameters`
// (TrainingConfig::personal).
[[nodiscard]] Result<std::unique_ptr<Evaluator>> make_evaluator(const std::filesystem::path& archive,
                                                                const DataConfig& data, int threads,
                                                                std::span<const std::string> personal = {},
                                                                std::span<const float> statistics = {});
// The same on data that is open already.
[[nodiscard]] Result<std::unique_ptr<Evaluator>> make_evaluator(const ArchiveFile& archive,
                                                                std::unique_ptr<DataSource> data, int threads,
                                                                std::span<const std::string> personal);

}  // namespace hansa::learning
