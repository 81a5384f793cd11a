// Whether a client could train a model on its data: a dry run of one step. Torch-free header.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/local_trainer.h"

namespace hansa::learning {

struct ModelCheck {
  std::uint64_t values = 0;  // of the parameters and buffers that travel
  std::uint64_t examples = 0;
  Metrics trained;  // over the one batch, before its step
  Metrics evaluated;  // over the same examples and some more, after it
  // Parameters that the step left as they were: used by no loss, or behind an operation without gradient.
  std::vector<std::string> unmoved;
};

// Trains one batch as a client does (data, memory guard, loss, optimiser) and evaluates the outcome. Fails with what
// is unfit: code model, data or resource.
[[nodiscard]] Result<ModelCheck> check_model(const std::filesystem::path& archive,
                                             const LocalTrainerConfig& client, std::uint32_t batch_size);

}  // namespace hansa::learning
