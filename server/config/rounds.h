// The number of rounds of a run: federation.rounds, where 0 stands for no end.
#pragma once
#include <cstdint>
#include <string>

#include "common/identifiers.h"

namespace hansa::server {

[[nodiscard]] constexpr bool has_all_rounds(RoundId committed, std::uint32_t rounds) {
  return rounds > 0 && committed.value >= rounds;
}

// "3 of 20"; "3" if there is no end.
[[nodiscard]] inline std::string rounds_text(RoundId round, std::uint32_t rounds) {
  return std::to_string(round.value) + (rounds > 0 ? " of " + std::to_string(rounds) : "");
}

}  // namespace hansa::server
