// Mini-batch SGD of an open model on an open data source. Includes LibTorch.
#pragma once
#include <cstdint>
#include <span>
#include <stop_token>

#include "learning/data/data_source.h"
#include "learning/internal/model.h"
#include "learning/trainer.h"

namespace hansa::learning {

// Trains the model from its current values. Equal model, data, config and seed give equal bits. Fails: resource
// ("stopped"), data (the loss is not finite), model (the archive's code fails). After a failure the model's values are
// undefined.
[[nodiscard]] Result<TrainingResult> run_training(Model& model, const DataSource& source,
                                                  const TrainingConfig& config, std::uint64_t seed,
                                                  const std::stop_token& stop);

}  // namespace hansa::learning
