// A data source from a shared library: learning/data/plugin.h.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

// Fails (usage) on a library that cannot be loaded or that has another version or name. Fails (data) with the plugin's
// message, or on an invalid shape or value.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_plugin_source(const DataConfig& config);

}  // namespace hansa::learning::internal
