// Data that a shared library brings: learning/data/plugin.h.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

// Fails (usage) on a library that cannot be loaded, has another version or another name; (data) with what the
// plugin says, or on a shape or values that cannot be.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_plugin_source(const DataConfig& config);

}  // namespace hansa::learning::internal
