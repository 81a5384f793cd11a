// Whether the data fits the model that this device fetched last. A device that has taken part in no round yet has none.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "client/check/finding.h"

namespace hansa::client {

// A training step that was tried.
struct ModelFit {
  std::uint64_t values = 0;  // of the model
  std::uint64_t peak_memory_bytes = 0;  // of the process that trained; 0: not known
  std::vector<std::string> warnings = {};  // about what is probably wrong
};

// The newest complete archive in the state's folder; its bytes are those that its name promises. Changes nothing.
[[nodiscard]] std::optional<std::filesystem::path> last_archive(const std::filesystem::path& state);
// fit: fails with the first reason why the model cannot be trained on the data: names, shapes, types, memory.
[[nodiscard]] Finding model_finding(const Result<ModelFit>& fit);

}  // namespace hansa::client
