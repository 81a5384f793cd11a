// Estimates the memory that a training task will need. Includes LibTorch.
#pragma once
#include <cstdint>

#include "common/training.h"
#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

// The estimate is measured: the function trains on one or two examples, records LibTorch's allocations, and scales the
// peak to the batch size. It includes the data, the vectors and the optimiser, but not the program itself. It
// overwrites the model's buffers and draws random numbers, so assign the values and seed the generator afterwards.
// Throws LibTorch's exceptions.
enum class StepComputes : std::uint8_t { loss, loss_and_representation };
[[nodiscard]] Result<std::uint64_t> estimate_training_memory_bytes(Model& model, const DataSource& source,
                                                                   const TrainingConfig& config,
                                                                   StepComputes step);

}  // namespace hansa::learning
