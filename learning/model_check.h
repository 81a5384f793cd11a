// Checks whether a client could train a model on its data: a dry run of one training step. Torch-free header.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/archive_file.h"
#include "learning/data/data_source.h"
#include "learning/local_trainer.h"

namespace hansa::learning {

struct ModelCheck {
  std::uint64_t values = 0;  // of the parameters and buffers that are sent
  std::uint64_t examples = 0;
  Metrics trained;  // over the one batch, before the step
  Metrics evaluated;  // over the same examples and some more, after the step
  // Parameters that no step changed: unused by the loss, or used behind an operation without a gradient.
  std::vector<std::string> unmoved;
  std::vector<std::string> warnings;  // about what is probably wrong
};

// Trains one batch as a client does (data, memory guard, loss, optimiser) and evaluates the result. If parameters did not
// change, it trains some more steps: behind a weight of zero, such as one of the two matrices of a low-rank adapter, the first
// step has no gradient. Fails with the first problem found: code model, data or resource.
[[nodiscard]] Result<ModelCheck> check_model(const std::filesystem::path& archive,
                                             const LocalTrainerConfig& client, std::uint32_t batch_size);

// The first part of it, without the evaluation and with a trainer that has its data: for a process that may open no file any
// more. `source`: that data, before it is scaled.
struct StepPlan {
  Scaling scale = Scaling::none;
  std::uint32_t batch_size = 32;
};
[[nodiscard]] Result<ModelCheck> check_steps(const ArchiveFile& archive, Trainer& trainer,
                                             const DataSource& source, const StepPlan& plan);

}  // namespace hansa::learning
