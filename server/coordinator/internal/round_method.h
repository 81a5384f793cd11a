// The training method of a round: that of the operator, with the options that depend on the round.
#pragma once
#include <span>
#include <string>

#include "common/identifiers.h"
#include "common/methods.h"
#include "server/coordinator/config.h"
#include "server/coordinator/internal/clients.h"

namespace hansa::server {

// The learning rate of the round (server/methods/rate_schedule.h); and, if the method has the option "reference_steps", the
// optimiser steps of the cohort's longest training, as far as the clients' reports tell.
[[nodiscard]] Method method_of_round(const OperatorSettings& settings, RoundId round,
                                     std::span<const std::string> cohort, const Clients& clients);

}  // namespace hansa::server
