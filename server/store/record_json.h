// The JSON form of what a run records, where metrics.jsonl, the commands and the HTTP API have the same one. Pure.
//
// Metrics and digests differ on purpose: docs/api.md.
#pragma once
#include <nlohmann/json.hpp>

#include "server/store/store.h"

namespace hansa::server {

// {"neighbours": 32, "threshold": 21, "with_keys": 100, "recovered": 3, "value_bits": 18, "ring_bits": 32, "clip": 1.0,
//  "setup_seconds": 0.5, "unmask_seconds": 0.2}
[[nodiscard]] nlohmann::ordered_json secure_sum_json(const SecureSumRecord& secure);

// {"round": 3, "attempt": 1, "at": "2026-01-02T03:04:05Z", "reason": "..."}
[[nodiscard]] nlohmann::ordered_json abandoned_json(const AbandonedAttempt& attempt);

}  // namespace hansa::server
