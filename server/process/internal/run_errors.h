// The error with which an aggregator ends whose run diverges.
#pragma once
#include <optional>
#include <string>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/divergence/best_round.h"
#include "server/setup/run_setup.h"
#include "server/store/run.h"

namespace hansa::server::internal {

// Whether the model of a round is still there, so that a run can begin from it.
[[nodiscard]] bool has_model(Run& store, RoundId round);

// Always fails (data): the run diverges, and [divergence] action is "stop". text: what is wrong.
[[nodiscard]] tl::unexpected<Error> fail_diverged(const FederationConfig& config, const PreparedRun& run,
                                                  const std::string& text,
                                                  const std::optional<BestRound>& best);

}  // namespace hansa::server::internal
