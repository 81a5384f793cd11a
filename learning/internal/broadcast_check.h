// A loss of the model's own cannot be looked into, but shapes that broadcast in it can be seen. Torch-free header.
#pragma once
#include <string>

#include "common/error.h"
#include "learning/archive_file.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

// For a model with a training_loss: a warning if forward returns as many values as there are targets, in another shape,
// because predictions [n, 1] minus targets [n] have the shape [n, n], and such a loss trains towards the mean. Empty:
// nothing was found, or forward cannot be called alone. Fails (model) if the archive cannot be opened.
[[nodiscard]] Result<std::string> find_broadcast(const ArchiveFile& archive, const DataSource& source);

}  // namespace hansa::learning
