// Checks the names of federations and clients, which become file names and are sent in messages.
#pragma once
#include <string_view>

#include "common/error.h"

namespace hansa::config {

// A valid name has 1 to 64 letters, digits, '-', '_' and '.', and does not start with '.'.
[[nodiscard]] Result<void> check_name(std::string_view name, std::string_view location);

}  // namespace hansa::config
