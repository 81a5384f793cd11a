// How much memory a training task will need. Includes LibTorch.
#pragma once
#include <cstdint>

#include "common/training.h"
#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

// Measured, not guessed: trains on one or two examples, watching LibTorch's allocations, and scales
// the peak to the batch. Counts the data, the vectors and the optimiser too; not the program itself.
// Overwrites the model's buffers and draws random numbers: assign() and seed afterwards. Throws what
// LibTorch throws.
[[nodiscard]] Result<std::uint64_t> estimate_training_memory_bytes(Model& model, const DataSource& source,
                                                                   const TrainingConfig& config);

}  // namespace hansa::learning
