// The kinds of data that need libraries of their own: images, audio, tokens and others. They are apart from
// learning/data, so that the client's process, which does not read such data itself, does not load these libraries.
#pragma once
#include <memory>
#include <optional>

#include "learning/data/data_source.h"

namespace hansa::learning {

// Opens data of one of these kinds; empty for any other kind. Fails (usage), naming the packages that the build needs, if the
// kind was not built.
[[nodiscard]] std::optional<Result<std::unique_ptr<DataSource>>> open_optional_kind(const DataConfig& config);

}  // namespace hansa::learning
