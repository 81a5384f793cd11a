// A loss of the model's own cannot be looked into, but what it does can be seen. Torch-free header.
#pragma once
#include <string>

#include "common/error.h"
#include "learning/archive_file.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

class Model;

// For a model with a training_loss, of which forward returns as many values as there are targets, in another shape:
// predictions [n, 1] minus targets [n] have the shape [n, n], and such a loss trains towards the mean. Fails (model) if
// the loss does not change when the targets of a batch change places, although it depends on them. Otherwise returns a
// warning, because the loss may be right. Empty: the shapes are equal, or forward cannot be called alone. Changes the
// model's mode, and no value.
[[nodiscard]] Result<std::string> find_broadcast(Model& model, const DataSource& source);
// The same for an archive, opened for this, with weights that are moved at random. Fails (model) also if it cannot be opened.
[[nodiscard]] Result<std::string> find_broadcast(const ArchiveFile& archive, const DataSource& source);

}  // namespace hansa::learning
