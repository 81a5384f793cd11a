// Whether what a round, or the groups of buffered aggregation, must hold at the same time fits into memory and files.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/error.h"
#include "server/config/federation_config.h"

namespace hansa::server {

// clients: that may take part. elements: of the model. available: bytes of memory (available_memory()); empty: not known.
// Fails (resource), with the arithmetic, if it cannot fit. Returns a note for the operator, or nothing.
[[nodiscard]] Result<std::string> check_round_memory(const FederationConfig& config, std::uint64_t clients,
                                                     std::uint64_t elements,
                                                     std::optional<std::uint64_t> available);

}  // namespace hansa::server
