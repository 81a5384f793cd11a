// The names that become file names and travel in messages: federations and clients.
#pragma once
#include <string_view>

#include "common/error.h"

namespace hansa::config {

// Letters, digits, '-', '_' and '.', not starting with '.', 1 to 64 characters.
[[nodiscard]] Result<void> check_name(std::string_view name, std::string_view location);

}  // namespace hansa::config
