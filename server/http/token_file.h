// The token of the operator: whoever has it may act through the dashboard.
#pragma once
#include <filesystem>
#include <string>

#include "common/error.h"

namespace hansa::http {

// The token in the file, which is made with a new one (256 bits, mode 0600) if it does not exist. Fails with `usage` if the
// file holds something else, or others may read it; with `storage` if it can be neither read nor made.
[[nodiscard]] Result<std::string> read_or_make_token(const std::filesystem::path& file);

}  // namespace hansa::http
