// Asks the federation's selection (server/selection/cohort_policy.h) for some of its clients.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/coordinator/internal/stage.h"

namespace hansa::server {

// `size` of these clients, sorted. clients: sorted and known; 1 <= size <= clients.size().
[[nodiscard]] std::vector<std::string> choose(const Shared& shared, const std::vector<std::string>& clients,
                                              std::size_t size, RoundId round, std::uint64_t seed);

}  // namespace hansa::server
