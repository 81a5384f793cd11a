// Finds where a model's values are in its archive, with LibTorch in this process. Torch-free header.
#pragma once
#include <span>
#include <string>

#include "common/error.h"
#include "learning/archive_file.h"
#include "learning/value_places.h"

namespace hansa::learning {

// Reads the archive without copying its values. patterns: of the personal parameters (TrainingConfig::personal). Fails
// (model) as LoadedModel::open() does, and if a trained parameter shares bytes of the archive with another tensor: then they
// may differ after a training, and no copy of the archive can hold the values.
[[nodiscard]] Result<ValuePlaces> find_value_places(const ArchiveFile& archive,
                                                    std::span<const std::string> patterns);

}  // namespace hansa::learning
