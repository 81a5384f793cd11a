// What federation.toml says about files for other tools. Of interest to the process, and to nothing that decides about
// rounds.
#pragma once
#include <filesystem>

#include "common/config/variables.h"
#include "common/error.h"

namespace hansa::server {

struct OutputConfig {
  std::filesystem::path tensorboard;  // folder; empty: no event files are written
};

// Of a federation.toml. Fails (usage) like read_federation_config().
[[nodiscard]] Result<OutputConfig> read_output_config(const std::filesystem::path& file,
                                                      const config::Variables& variables = {});

}  // namespace hansa::server
