// Findings as lines for a terminal, and as JSON for programs.
#pragma once
#include <span>
#include <string>

#include "client/check/finding.h"

namespace hansa::client {

enum class Colour : std::uint8_t { none, ansi };

// A line for each finding, and one more for each hint. Texts of other parties are escaped.
[[nodiscard]] std::string report_text(std::span<const Finding> findings, Colour colour);
// {"ok": false, "checks": [{"check": "tcp", "outcome": "failed", "text": "...", "hint": "..."}, ...]}
[[nodiscard]] std::string report_json(std::span<const Finding> findings);

// 0 if no check failed; otherwise the exit code of the first failed one (docs/exit-codes.md).
[[nodiscard]] int exit_code_of(std::span<const Finding> findings);

}  // namespace hansa::client
