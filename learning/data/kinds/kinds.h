// The kinds of data that need libraries of their own: images, audio, tokens and others. They are apart from
// learning/data, so that the client's process, which does not read such data itself, does not load these libraries.
#pragma once
#include <memory>
#include <optional>

#include "learning/data/data_source.h"

namespace hansa::learning {

// Opens data of one of these kinds. Empty: config.kind is none of them. Fails (usage) if the kind was not built, with the
// packages that the build needs.
[[nodiscard]] std::optional<Result<std::unique_ptr<DataSource>>> open_optional_kind(const DataConfig& config);

}  // namespace hansa::learning
