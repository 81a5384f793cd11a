// Trains tasks on a model and a supply of data: the common part of make_local_trainer() and make_module_trainer().
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "learning/archive_file.h"
#include "learning/internal/model.h"
#include "learning/local_trainer.h"

namespace hansa::learning {

// Opens the model for a task's archive. Personal parameters are not in its layout.
using OpenModel = std::function<Result<std::unique_ptr<Model>>(const ArchiveFile& archive,
                                                               std::span<const std::string> personal)>;

[[nodiscard]] std::unique_ptr<Trainer> make_model_trainer(const LocalTrainerConfig& config, OpenModel open);

}  // namespace hansa::learning
