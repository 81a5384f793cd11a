// Checks that a run is the one that the caller means.
#pragma once
#include <span>

#include "common/error.h"
#include "server/store/store.h"

namespace hansa::server::internal {

// Fails (usage), naming the first difference. place: the location in errors.
[[nodiscard]] Result<void> require_same_identity(const RunIdentity& kept, const RunIdentity& given,
                                                 const std::string& place);
// Fails (model) if identity.initial_model is not initial_model's digest.
[[nodiscard]] Result<void> require_initial_model(const RunIdentity& identity,
                                                 std::span<const float> initial_model,
                                                 const std::string& place);
// Fail (storage) if `round` cannot be committed, or evaluated, when `last` is the last committed round.
[[nodiscard]] Result<void> require_next_round(RoundId round, RoundId last, const std::string& place);
[[nodiscard]] Result<void> require_committed_round(RoundId round, RoundId last, const std::string& place);
[[nodiscard]] tl::unexpected<Error> fail_not_begun(const std::string& place);

}  // namespace hansa::server::internal
