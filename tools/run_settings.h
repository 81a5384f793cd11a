// The settings with which a run's rounds were made, from the copy of federation.toml that the run keeps.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/output/run_view.h"

namespace hansa::tools {

// "training.learning_rate" and "0.05": every setting that is written in the newest version, or has a default, in the
// schema's order. Empty if the run keeps no version, or if this Hansa cannot read it.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> settings_of(const server::RunView& view);

// [federation] rounds of the newest version. 0: without an end. Empty: not known.
[[nodiscard]] std::optional<std::uint32_t> rounds_of(const std::vector<server::Run::Configuration>& versions);

}  // namespace hansa::tools
