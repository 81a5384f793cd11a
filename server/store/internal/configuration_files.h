// config/after-N.toml of a run folder: federation.toml as it was for the rounds after round N.
#pragma once
#include <filesystem>
#include <string_view>
#include <vector>

#include "server/store/run.h"

namespace hansa::server::internal {

[[nodiscard]] Result<void> put_configuration(const std::filesystem::path& folder, RoundId after,
                                             std::string_view text);
// In the order of their rounds. Other files in the folder and symbolic links are ignored; a missing folder has none.
[[nodiscard]] Result<std::vector<Run::Configuration>> read_configurations(
    const std::filesystem::path& folder);

}  // namespace hansa::server::internal
