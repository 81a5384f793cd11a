// The work of a ModelSaver, with LibTorch in this process.
#pragma once
#include <span>
#include <string>

#include "common/error.h"
#include "learning/model_saver.h"

namespace hansa::learning {

// As ModelSaver::save(). patterns: of the personal parameters (TrainingConfig::personal).
[[nodiscard]] Result<std::string> archive_with_values(const TrainingRequest& request,
                                                      std::span<const std::string> patterns,
                                                      PersonalValues personal);

}  // namespace hansa::learning
