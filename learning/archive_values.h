// What a model archive holds, with its values in memory of the caller, so that they are in memory once. Torch-free header.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "learning/model_archive.h"

namespace hansa::learning {

// Memory for the values of a layout, as many as it has. Fails if there is none.
using ValueRoom = std::function<Result<std::span<float>>(const ParameterLayout&)>;

// As describe_archive(), but the values are written to the room, and `parameters` is empty. Returns the room's error.
[[nodiscard]] Result<ModelDescription> describe_archive_into(const ValueRoom& room,
                                                             const ArchiveFile& archive,
                                                             std::span<const std::string> personal = {});

}  // namespace hansa::learning
